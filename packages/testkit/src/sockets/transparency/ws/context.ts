import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { closePayload, encodeFrame, OPCODE } from '../../../testing/frames.ts'
import type { WsScript } from '../ws-stage.ts'

/** Async context and classes of the application's own. */
export const wsContextScripts: Readonly<Record<string, WsScript>> = {
  async "the application's async context"(stage) {
    const storage = new AsyncLocalStorage<string>()
    // The timer is the last to send, however slow the machine is.
    let lastSent: () => void = () => {}
    const othersSent = new Promise<void>((resolve) => {
      lastSent = resolve
    })
    const host = await storage.run('server', () =>
      stage.serve({
        async connection(socket) {
          stage.log('connection', storage.getStore())
          storage.run('added', () => socket.on('message', (data) => stage.log('message', data, storage.getStore())))
          socket.on('message', async (data) => {
            await storage.run(`message ${data}`, async () => {
              await null
              socket.send(data.toString(), () => {
                stage.log('sent', storage.getStore())
                if (data.toString() === 'b') lastSent()
              })
              stage.log('inside', storage.getStore())
            })
            stage.log('after', storage.getStore())
          })
          socket.on('pong', () => stage.log('pong', storage.getStore()))
          socket.on('close', () => stage.log('close', storage.getStore()))
          storage.run('timer', () =>
            setTimeout(async () => {
              await othersSent
              socket.send(`timer ${storage.getStore()}`)
            }, 10),
          )
          await null
          stage.log('connection, later', storage.getStore())
        },
      }),
    )
    const client = await stage.rawConnect(host)
    client.write(encodeFrame(OPCODE.text, 'a'), encodeFrame(OPCODE.pong), encodeFrame(OPCODE.text, 'b'))
    for (let frames = 0; frames < 3; frames++) stage.log((await client.nextFrame()).payload)
    client.send(OPCODE.close, closePayload(1000))
    await client.closed
  },

  async 'an async context entered by a listener, seen by the next one'(stage) {
    const storage = new AsyncLocalStorage<string>()
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', (data) => storage.enterWith(`entered for ${data}`))
        socket.on('message', () => {
          stage.log(storage.getStore())
          socket.send('seen')
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'a')
    stage.log((await client.nextFrame()).payload)
  },

  async 'a subclass of WebSocket with methods of its own'(stage) {
    class OwnWebSocket extends WebSocket {
      override emit(event: string | symbol, ...args: unknown[]): boolean {
        if (event === 'message' || event === 'close') stage.log('emit', event, ...args)
        return super.emit(event as string, ...args)
      }

      override send(...args: unknown[]): void {
        stage.log('send', args.length)
        Reflect.apply(super.send, this, args)
      }

      override close(code?: number, reason?: string | Buffer): void {
        stage.log('close', code, reason)
        super.close(code, reason)
      }
    }
    const host = await stage.serve({
      server: { WebSocket: OwnWebSocket },
      connection(socket) {
        stage.log(socket instanceof OwnWebSocket, socket.constructor === OwnWebSocket)
        socket.on('message', (data) => {
          socket.send(data.toString())
          socket.send('options', {})
          socket.send('callback', () => stage.log('sent'))
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'a')
    for (let frames = 0; frames < 3; frames++) stage.log((await client.nextFrame()).payload)
    client.send(OPCODE.close, closePayload(4000, 'bye'))
    stage.log(await client.closed)
  },

  async 'pauses and resumes'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', (data) => {
          stage.log(data, socket.isPaused)
          if (data.toString() !== 'a') return
          socket.pause()
          stage.log(socket.isPaused)
          setImmediate(() => {
            stage.log('resume', socket.resume())
            socket.send('resumed')
          })
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'a')
    stage.log((await client.nextFrame()).payload)
    client.send(OPCODE.text, 'b')
    client.send(OPCODE.close, closePayload(1000))
    await client.closed
  },

  async 'the server going down'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('close', (code, reason) => stage.log('close', code, reason))
      },
    })
    host.ws.server.on('close', () => stage.log('server closed', host.ws.server.clients.size))
    const client = await stage.connect(host)
    const closed = once(host.ws.server, 'close')
    stage.log(host.ws.server.close((error) => stage.log('callback', error)))
    for (const socket of host.ws.server.clients) socket.close(1001, 'going down')
    stage.log(await client.closed)
    host.ws.http.close()
    await closed
    host.ws.server.close((error) => stage.log('again', error))
  },
}
