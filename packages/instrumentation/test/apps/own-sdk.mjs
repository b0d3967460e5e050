import { setImmediate } from 'node:timers/promises'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { WebSocketServer } from 'ws'

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })

wss.on('connection', (socket) => {
  socket.on('message', (data) => {
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })
})

// The SDK starts late, after its configuration was fetched.
await setImmediate()
const sdk = new NodeSDK({ serviceName: 'by the application' })
sdk.start()
process.once('SIGTERM', () => sdk.shutdown().then(() => process.exit()))

process.stdout.write(`${wss.address().port}\n`)
