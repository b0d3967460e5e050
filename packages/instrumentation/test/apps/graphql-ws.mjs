import { setImmediate } from 'node:timers/promises'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const schema = buildSchema(`
  type Query { greeting: String }
  type Subscription { count: Int }
`)

async function* count() {
  for (const number of [1, 2]) {
    await setImmediate()
    yield { count: number }
  }
}

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/graphql' })
useServer({ schema, roots: { query: { greeting: () => 'hello' }, subscription: { count } } }, wss)
wss.on('listening', () => process.stdout.write(`${wss.address().port}\n`))
