import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Protocol } from '../lib/cases.ts'
import { type Dialect, dialects } from './dialects.ts'
import { repeated } from './frames.ts'

/**
 * A client that writes prepared frames and compares the echoed bytes.
 *
 * It builds and parses no frames, so that the server, not the load generator, is what the machine is busy with.
 */
export class EchoConnection {
  readonly #socket: Socket
  readonly #dialect: Dialect

  private constructor(socket: Socket, dialect: Dialect) {
    this.#socket = socket
    this.#dialect = dialect
  }

  static async open(port: number, protocol: Protocol): Promise<EchoConnection> {
    const dialect = dialects[protocol]
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    if (dialect.path === undefined) {
      await once(socket, 'connect')
      return new EchoConnection(socket, dialect)
    }
    socket.write(
      `GET ${dialect.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    let received = await readUntil(socket, /\r\n\r\n/)
    if (!received.startsWith('HTTP/1.1 101 '))
      throw new Error(`handshake answered with ${received.split('\r\n', 1)[0]}`)
    for (const { after, answer } of dialect.joining) {
      if (!after.test(received)) received += await readUntil(socket, after)
      if (answer === undefined) continue
      received = ''
      socket.write(answer)
    }
    return new EchoConnection(socket, dialect)
  }

  /** Asks the server to send a message to all of its clients. */
  requestBroadcast(): void {
    this.#socket.write(this.#dialect.broadcast)
  }

  /** Resolves when the message to all clients has come. */
  receiveBroadcast(): Promise<void> {
    let left = this.#dialect.received
    return this.#listen((chunk, finish) => {
      if (!left.subarray(0, chunk.length).equals(chunk))
        return finish(new Error('the broadcast differs from what was asked for'))
      left = left.subarray(chunk.length)
      if (left.length === 0) finish()
    })
  }

  /** Sends `messages` with at most `window` unanswered at any time; resolves when all are echoed. */
  echo(messages: number, window: number): Promise<void> {
    const socket = this.#socket
    const { request, response, expected } = this.#dialect
    const burst = repeated(request, Math.min(window, messages))
    let unsent = messages
    let receivedBytes = 0
    let echoed = 0
    const send = (count: number) => {
      unsent -= count
      socket.write(burst.subarray(0, count * request.length))
    }
    const echoes = this.#listen((chunk, finish) => {
      const offset = receivedBytes % response.length
      if (expected.compare(chunk, 0, chunk.length, offset, offset + chunk.length) !== 0) {
        return finish(new Error('the echo differs from what was sent'))
      }
      receivedBytes += chunk.length
      const answered = Math.floor(receivedBytes / response.length) - echoed
      echoed += answered
      if (unsent > 0 && answered > 0) send(Math.min(answered, unsent))
      else if (echoed === messages) finish()
    })
    send(Math.min(window, messages))
    return echoes
  }

  /** Hands out what comes until `receive` calls `finish`; rejects when it does so with an error, or nothing more can come. */
  #listen(receive: (chunk: Buffer, finish: (error?: Error) => void) => void): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        socket.off('data', take).off('error', finish).off('close', closed)
        if (error === undefined) resolve()
        else reject(error)
      }
      const closed = () => finish(new Error('the server closed the connection'))
      const take = (chunk: Buffer) => receive(chunk, finish)
      socket.on('data', take).on('error', finish).on('close', closed)
    })
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }
}

async function readUntil(socket: Socket, end: RegExp): Promise<string> {
  let text = ''
  while (!end.test(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString('latin1')
  }
  return text
}
