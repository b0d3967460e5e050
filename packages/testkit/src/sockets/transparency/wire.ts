import { turns } from '../../shared/turns.ts'
import { closePayload, encodeFrame, OPCODE } from '../../testing/frames.ts'
import { answerClose } from '../connection/close-cases.ts'
import type { HostSocket } from '../harness.ts'
import { randomFrames } from './random-frames.ts'
import type { Script } from './stage.ts'
import { until } from './until.ts'

/** Resolves when the host has reported a close: the server's end may learn of it after the client's. */
function serverClose(): { readonly closed: Promise<void>; readonly onClosed: () => void } {
  let onClosed: () => void = () => {}
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve
  })
  return { closed, onClosed }
}

/** Bytes on the wire in both directions, and the events that they make. */
export const wireScripts: Readonly<Record<string, Script>> = {
  async 'the bytes of an echo of every kind of frame'(stage) {
    const { closed, onClosed } = serverClose()
    const host = await stage.serve({
      connection(socket) {
        socket.onMessage((data) => {
          stage.log('message', data)
          socket.send(data)
        })
        stage.watch(socket)
        socket.onClose(onClosed)
      },
    })
    const client = await stage.rawConnect(host, { head: encodeFrame(OPCODE.text, 'early') })
    await until(client, 'early')
    client.write(
      encodeFrame(OPCODE.text, 'h\u00e9llo'),
      encodeFrame(OPCODE.text, ''),
      encodeFrame(OPCODE.binary, Buffer.from([0, 1, 254, 255])),
      encodeFrame(OPCODE.text, 'frag', { fin: false }),
      encodeFrame(OPCODE.ping, 'between'),
      encodeFrame(OPCODE.continuation, 'ment'),
      encodeFrame(OPCODE.pong, 'unasked'),
      encodeFrame(OPCODE.binary, Buffer.alloc(70_000, 7)),
      encodeFrame(OPCODE.close, closePayload(4000, 'done')),
    )
    await closed
    stage.log(await client.closed)
  },

  async 'the bytes of a fan-out'(stage) {
    const sockets: HostSocket[] = []
    const host = await stage.serve({ connection: (socket) => void sockets.push(socket) })
    const clients = [await stage.rawConnect(host), await stage.rawConnect(host), await stage.rawConnect(host)]
    while (sockets.length < clients.length) await turns(1)
    sockets[1]?.close(1001)
    const data = Buffer.from('to all')
    for (const socket of sockets) socket.send(data)
    for (const socket of sockets) stage.send(socket, 'again')
    for (const socket of sockets) socket.send('again')
    clients[1]?.send(OPCODE.close, closePayload(1001))
    for (const socket of sockets) socket.close(1000)
    await Promise.all(clients.map((client) => answerClose(client)))
    for (const client of clients) stage.log(await client.closed)
  },

  async 'what comes of random frames'(stage) {
    let open = 0
    const host = await stage.serve({
      maxMessageSize: 1000,
      connection(socket) {
        open++
        socket.onMessage((data) => {
          stage.log('message', data)
          stage.send(socket, data)
        })
        stage.watch(socket)
        socket.onClose(() => {
          open--
        })
      },
    })
    for (let seed = 1; seed <= 60; seed++) {
      const client = await stage.rawConnect(host)
      client.write(...randomFrames(seed))
      client.end()
      stage.log('seed', seed, await client.closed)
      // The server's own events may come a turn after the client's.
      for (let turn = 0; turn < 10 && open > 0; turn++) await turns(1)
    }
  },

  async 'the order of messages and turns in a burst'(stage) {
    const { closed, onClosed } = serverClose()
    const host = await stage.serve({
      connection(socket) {
        socket.onMessage(async (data) => {
          stage.log('message', data)
          queueMicrotask(() => stage.log('microtask', data))
          process.nextTick(() => stage.log('tick', data))
          void Promise.resolve().then(() => stage.log('promise', data))
          stage.send(socket, data)
          await null
          stage.log('later', data)
        })
        stage.watch(socket)
        socket.onClose(onClosed)
      },
    })
    const client = await stage.rawConnect(host)
    client.write(
      encodeFrame(OPCODE.text, 'a'),
      encodeFrame(OPCODE.ping, 'p'),
      encodeFrame(OPCODE.text, 'b'),
      encodeFrame(OPCODE.text, 'c'),
    )
    await until(client, 'c')
    client.send(OPCODE.close, closePayload(1000))
    await closed
    stage.log(await client.closed)
  },

  async 'the answers to requests that the application decides on'(stage) {
    const host = await stage.serve({
      connection: () => stage.log('connection'),
      async authorize(url) {
        stage.log('authorize', url)
        if (url.includes('at-once')) return 401
        await turns(2)
        return url.includes('later') ? 503 : undefined
      },
    })
    for (const query of ['', '?at-once', '?later']) {
      const client = stage.upgrade({ url: host.url + query })
      stage.log((await client.response).text.replace(/Date: [^\r]*/i, 'Date'))
      client.socket.destroy()
    }
  },
}

/** Upgrade requests that the host itself refuses. */
export const refusalScripts: Readonly<Record<string, Script>> = {
  async 'the answers to bad upgrades'(stage) {
    const host = await stage.serve({ connection() {} })
    const bad: Record<string, string | undefined>[] = [
      { 'sec-websocket-version': '7' },
      { 'sec-websocket-version': undefined },
      { 'sec-websocket-key': undefined },
      { 'sec-websocket-key': 'short' },
      { 'sec-websocket-protocol': 'a,,b' },
      { upgrade: 'h2c' },
      { traceparent: 'nonsense', baggage: '=;=,' },
    ]
    for (const headers of bad) {
      const client = stage.upgrade(host, { headers })
      const { status } = await client.response.catch(() => ({ status: 0 }))
      if (status === 101) client.send(OPCODE.close)
      const bytes = (await client.closed).toString().replace(/Date: [^\r]*/i, 'Date')
      stage.log(headers, status, bytes)
    }
  },
}
