import { deflateRawSync } from 'node:zlib'
import { closeCases } from '../conformance/close.ts'
import { closePayload, encodeFrame, OPCODE } from '../frames.ts'
import type { RawClient } from '../raw-client.ts'
import { type Script, turns } from './stage.ts'

/** Reads until the server has sent a text frame with this content. */
async function until(client: RawClient, text: string): Promise<void> {
  for (;;) {
    const frame = await client.nextFrame()
    if (frame.opcode === OPCODE.text && frame.payload.toString() === text) return
  }
}

async function answerClose(client: RawClient): Promise<void> {
  try {
    for (;;) {
      const frame = await client.nextFrame()
      if (frame.opcode === OPCODE.close) return client.send(OPCODE.close, frame.payload)
    }
  } catch {
    // The connection ended without one.
  }
}

/** A generator of the same numbers for the same seed, from 0 to below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * limit)
  }
}

/** Mostly valid frames, some with a wrong bit, opcode, length or payload, and sometimes none at all. */
function randomFrames(seed: number): Buffer[] {
  const next = numbers(seed)
  const opcodes = [
    OPCODE.text,
    OPCODE.text,
    OPCODE.binary,
    OPCODE.continuation,
    OPCODE.ping,
    OPCODE.pong,
    OPCODE.close,
    5,
  ]
  return Array.from({ length: 1 + next(8) }, () => {
    const opcode = opcodes[next(opcodes.length)] as number
    const payload =
      next(4) === 0 ? Buffer.from([0xff, next(256), 0xc0]) : Buffer.alloc([0, 1, 5, 125, 126, 1500][next(6)] ?? 0, 'ab')
    const frame = encodeFrame(opcode, opcode === OPCODE.close && next(2) ? closePayload(990 + next(40)) : payload, {
      fin: next(5) !== 0,
      masked: next(20) !== 0,
      reserved: next(20) === 0 ? 1 + next(7) : 0,
    })
    return next(15) === 0 ? frame.subarray(0, next(frame.length)) : frame
  })
}

/** Bytes on the wire in both directions, and the events that they make. */
export const wireScripts: Readonly<Record<string, Script>> = {
  async 'the bytes of an echo of every kind of frame'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', (data, binary) => {
          stage.log('message', data, binary)
          socket.send(data as Buffer, { binary })
        })
        for (const event of ['ping', 'pong'] as const) socket.on(event, (data) => stage.log(event, data))
        socket.on('close', (code, reason) => stage.log('close', code, reason))
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
    stage.log(await client.closed)
  },

  async 'the bytes of every way to send'(stage) {
    const host = await stage.serve({
      connection(socket) {
        const all: unknown[] = [
          'text',
          '',
          '\u{1f600}',
          '\ud800',
          42,
          Buffer.from('buffer'),
          new Uint8Array([1, 2]),
          new Float64Array([1.5]),
          new DataView(new ArrayBuffer(8), 2, 3),
          new ArrayBuffer(3),
          new Blob(['blob']),
          [1, 2, 3],
          undefined,
          null,
          false,
        ]
        for (const data of all) {
          try {
            stage.log('returned', socket.send(data as string))
          } catch (error) {
            stage.log('threw', error)
          }
        }
        socket.send('one', {})
        socket.send('two', { binary: true })
        socket.send(Buffer.from('three'), { binary: false })
        socket.send('four', { compress: true })
        socket.send('fi', { fin: false })
        socket.send('ve', { fin: false })
        socket.send('', { fin: true })
        socket.ping()
        socket.ping('payload')
        socket.ping(7)
        socket.pong('payload')
        socket.send('end')
      },
    })
    const client = await stage.rawConnect(host)
    await until(client, 'end')
    client.send(OPCODE.close, closePayload(1000))
    stage.log(await client.closed)
  },

  async 'the bytes of compressed messages'(stage) {
    const host = await stage.serve({
      server: { perMessageDeflate: { threshold: 0 } },
      connection(socket) {
        socket.on('message', (data) => {
          stage.log('message', data)
          socket.send(data.toString())
          socket.send(`${data}${data}`, { compress: false })
          socket.send(Buffer.alloc(5000, 'ab'))
          socket.send('end', { compress: false })
        })
      },
    })
    const client = await stage.rawConnect(host, { headers: { 'sec-websocket-extensions': 'permessage-deflate' } })
    const compressed = deflateRawSync('squeezed squeezed squeezed', { finishFlush: 2 }).subarray(0, -4)
    client.send(OPCODE.text, compressed, { reserved: 4 })
    await until(client, 'end')
    client.send(OPCODE.close, closePayload(1000))
    stage.log(await client.closed)
  },

  async 'the bytes of a fan-out'(stage) {
    const host = await stage.serve({ connection() {} })
    const clients = [await stage.rawConnect(host), await stage.rawConnect(host), await stage.rawConnect(host)]
    const sockets = [...host.wss.clients]
    sockets[1]?.close(1001)
    const data = Buffer.from('to all')
    for (const socket of sockets) socket.send(data)
    for (const socket of sockets) socket.send('again', (error) => stage.log('sent', error))
    for (const socket of sockets) socket.send('again')
    clients[1]?.send(OPCODE.close, closePayload(1001))
    for (const socket of sockets) socket.close(1000)
    await Promise.all(clients.map((client) => answerClose(client)))
    for (const client of clients) stage.log(await client.closed)
  },

  async 'what comes of random frames'(stage) {
    const host = await stage.serve({
      server: { maxPayload: 1000 },
      connection(socket) {
        socket.on('message', (data, binary) => {
          stage.log('message', data, binary)
          socket.send(data as Buffer, { binary }, (error) => stage.log('sent', error))
        })
        for (const event of ['ping', 'pong'] as const) socket.on(event, (data) => stage.log(event, data))
        socket.on('error', (error) => stage.log('error', error))
        socket.on('close', (code, reason) => stage.log('close', code, reason))
      },
    })
    for (let seed = 1; seed <= 60; seed++) {
      const client = await stage.rawConnect(host)
      client.write(...randomFrames(seed))
      client.end()
      stage.log('seed', seed, await client.closed)
      // The server's own events may come a turn after the client's.
      for (let turn = 0; turn < 10 && host.wss.clients.size > 0; turn++) await turns(1)
    }
  },

  async 'the order of events and turns in a burst'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', (data) => {
          const text = data.toString()
          stage.log('message', text)
          queueMicrotask(() => stage.log('microtask', text))
          process.nextTick(() => stage.log('tick', text))
          void Promise.resolve().then(() => stage.log('promise', text))
          socket.send(text, () => stage.log('sent', text))
        })
        socket.on('message', async (data) => {
          stage.log('second', data.toString())
          await null
          stage.log('second, later', data.toString())
        })
        socket.on('ping', (data) => stage.log('ping', data))
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
    stage.log(await client.closed)
  },

  async 'the same in separate turns'(stage) {
    const host = await stage.serve({
      server: { allowSynchronousEvents: false },
      connection(socket) {
        socket.on('message', (data) => {
          stage.log('message', data)
          queueMicrotask(() => stage.log('microtask', data))
          process.nextTick(() => stage.log('tick', data))
          socket.send(data.toString())
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.write(encodeFrame(OPCODE.text, 'a'), encodeFrame(OPCODE.text, 'b'), encodeFrame(OPCODE.text, 'c'))
    await until(client, 'c')
    client.send(OPCODE.close, closePayload(1000))
    stage.log(await client.closed)
  },

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

  async 'backpressure and its callbacks'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', () => {
          for (let index = 0; index < 20; index++) {
            socket.send(Buffer.alloc(200_000, index), (error) => stage.log('sent', index, error))
          }
          stage.log('buffered', socket.bufferedAmount > 0)
          socket.send('end')
        })
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'go')
    await until(client, 'end')
    client.send(OPCODE.close, closePayload(1000))
    stage.log((await client.closed).length)
  },

  ...Object.fromEntries(
    Object.entries(closeCases).map(([name, { act }]): [string, Script] => [
      `the close: ${name}`,
      async (stage) => {
        let ready: () => void = () => {}
        const connected = new Promise<void>((resolve) => {
          ready = resolve
        })
        let closed: () => void = () => {}
        const done = new Promise<void>((resolve) => {
          closed = resolve
        })
        const host = await stage.serve({
          server: { maxPayload: 1000 },
          connection(socket) {
            socket.on('message', (data) => stage.log('message', data))
            socket.on('error', (error) => stage.log('error', error, socket.readyState))
            socket.on('close', (code, reason) => {
              stage.log('close', code, reason, socket.readyState)
              closed()
            })
            socket.addEventListener('close', (event) =>
              stage.log('close event', event.code, event.reason, event.wasClean),
            )
            ready()
          },
        })
        const client = await stage.rawConnect(host)
        await connected
        const [socket] = host.wss.clients
        if (!socket) throw new Error('no socket')
        void answerClose(client)
        stage.log('returned', name.startsWith('local') ? act(client, socket) : void act(client, socket))
        await done
        const bytes = await client.closed
        // A reset may overtake what was sent before it.
        if (!name.startsWith('network')) stage.log(bytes)
      },
    ]),
  ),
}
