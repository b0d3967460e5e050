import { AsyncLocalStorage } from 'node:async_hooks'
import { context, createContextKey } from '@opentelemetry/api'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import type { Script } from './stage.ts'

/** Async context of the application's own. */
export const contextScripts: Readonly<Record<string, Script>> = {
  async "the application's async context in handlers"(stage) {
    const storage = new AsyncLocalStorage<string>()
    const host = await storage.run('server', () =>
      stage.serve({
        async connection(socket) {
          stage.log('connection', storage.getStore())
          socket.onMessage(async (data) => {
            const before = storage.getStore()
            await storage.run(`message ${data}`, async () => {
              await null
              socket.send(`${before}, ${storage.getStore()}`)
            })
            socket.send(`${storage.getStore()}`)
          })
          await null
          stage.log('connection, later', storage.getStore())
        },
      }),
    )
    const client = await stage.rawConnect(host)
    client.write(encodeFrame(OPCODE.text, 'a'), encodeFrame(OPCODE.text, 'b'))
    for (let frames = 0; frames < 4; frames++) stage.log((await client.nextFrame()).payload)
  },

  async "values in the application's OpenTelemetry context"(stage) {
    const key = createContextKey('of the application')
    const host = await stage.serve({
      connection(socket) {
        socket.onMessage((data) => {
          context.with(context.active().setValue(key, `for ${data}`), () => {
            stage.log(context.active().getValue(key))
            context.with(context.active().deleteValue(key), () => stage.log(context.active().getValue(key)))
            stage.log(context.active().getValue(key))
          })
          stage.log(context.active().getValue(key))
          socket.send('seen')
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'a')
    stage.log((await client.nextFrame()).payload)
  },
}
