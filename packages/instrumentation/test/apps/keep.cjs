const { setTimeout } = require('node:timers/promises')
const { WebSocketServer } = require('ws')

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })

wss.on('connection', (socket) => {
  socket.on('message', async (data) => {
    const { type } = JSON.parse(data)
    if (type === 'slow') await setTimeout(60)
    socket.send(data)
    if (type === 'fail') throw new RangeError('on purpose')
  })
})

process.on('unhandledRejection', () => {})
wss.on('listening', () => process.stdout.write(`${wss.address().port}\n`))
