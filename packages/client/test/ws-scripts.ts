import { once } from 'node:events'
import { inspect } from 'node:util'
import type { WebSocket as WsClient } from 'ws'
import type { Script } from './browser/scripts.ts'

/** A script for clients of `ws`, which are emitters too. */
const forWs =
  (script: (socket: WsClient, log: (...entry: unknown[]) => void) => Promise<void>): Script =>
  (open, log) =>
    script(open() as unknown as WsClient, log)

const closed = async (socket: WsClient, log: (...entry: unknown[]) => void): Promise<void> => {
  const [code, reason] = await once(socket, 'close')
  log('close', code, String(reason))
}

/** Resolves when the text has come back. */
const echo = async (socket: WsClient, text: string): Promise<void> => {
  socket.send(text)
  for (;;) {
    const [data] = await once(socket, 'message')
    if (String(data) === text) return
  }
}

export const scripts: Readonly<Record<string, Script>> = {
  'listeners of every kind, in order': forWs(async (socket, log) => {
    await once(socket, 'open')
    const a = function (this: unknown, data: unknown, binary: unknown): void {
      log('a', this === socket, String(data), binary, arguments.length)
    }
    const b = (): void => log('b')
    socket.on('message', a)
    socket.once('message', b)
    socket.prependListener('message', b)
    socket.onmessage = ({ data, target, type }) => log('onmessage', String(data), target === socket, type)
    socket.addEventListener('message', async ({ data }) => {
      log('event', String(data))
      await null
      log('after await')
    })
    log(socket.listenerCount('message'), socket.listeners('message').includes(a), socket.eventNames())
    await echo(socket, 'one')
    socket.off('message', a)
    socket.onmessage = null
    await echo(socket, 'two')
    log(socket.listenerCount('message'), socket.rawListeners('message').length)
    socket.close(4000, 'bye')
    await closed(socket, log)
  }),

  'sends of every shape': forWs(async (socket, log) => {
    await once(socket, 'open')
    const received: unknown[] = []
    socket.on('message', (data, binary) => received.push([binary, data.toString('hex' as never)]))
    const written = (name: string) => (error?: Error) => log('written', name, error?.message)
    socket.send('text')
    socket.send('with callback', written('callback'))
    socket.send('with options', { compress: false }, written('options'))
    socket.send(Buffer.from('text of bytes'), { binary: false })
    socket.send(Buffer.from([1, 2]))
    socket.send([Buffer.from([3])] as never, { binary: true }, () => {})
    socket.send(7 as never)
    socket.send('frag', { fin: false })
    socket.send('ments', { fin: true }, written('fragments'))
    socket.send('', { fin: false })
    socket.send('late', { fin: false })
    socket.send('', { fin: true })
    socket.ping('ping')
    const [pong] = await once(socket, 'pong')
    log(String(pong))
    await echo(socket, 'end')
    log(received)
    log(socket.send('x'), socket.bufferedAmount, socket.readyState)
    socket.close()
    log(socket.readyState)
    socket.send('late', (error) => log('late', error?.message))
    await closed(socket, log)
    try {
      socket.send({} as never)
    } catch (error) {
      log((error as Error).message)
    }
    socket.send('too late', (error) => log('too late', error?.message))
    await new Promise((resolve) => setImmediate(resolve))
  }),

  'the face of the socket, and its end': forWs(async (socket, log) => {
    try {
      socket.send('early')
    } catch (error) {
      log((error as Error).message)
    }
    log(Object.keys(socket).sort(), socket.eventNames(), socket.constructor.name, inspect(socket, { depth: 0 }))
    for (const name of ['send', 'emit', 'close', 'terminate', 'ping', 'on'] as const) {
      log(name, socket[name].length, socket[name].name)
    }
    await once(socket, 'open')
    log(socket.emit('nothing'), socket.emit('message', Buffer.from('own'), true, 'more'))
    log(socket.terminate())
    await closed(socket, log)
  }),
}
