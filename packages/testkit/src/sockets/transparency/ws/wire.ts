import { deflateRawSync } from 'node:zlib'
import { closePayload, encodeFrame, OPCODE } from '../../../testing/frames.ts'
import { until } from '../until.ts'
import type { WsScript } from '../ws-stage.ts'

/** Bytes on the wire of what only `ws` sends, and the order of its events. */
export const wsWireScripts: Readonly<Record<string, WsScript>> = {
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
}
