import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { echoFrames, repeated } from './frames.ts'

const MESSAGE_SIZE = 128
const LARGEST_READ = 64 * 1024

const { request, response } = echoFrames(MESSAGE_SIZE)
const expected = repeated(response, Math.ceil(LARGEST_READ / response.length) + 1)

/**
 * A client that writes prepared frames and compares the echoed bytes.
 *
 * It builds and parses no frames, so that the server, not the load generator, is what the machine is busy with.
 */
export class EchoConnection {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async open(port: number, path: string): Promise<EchoConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    let answer = ''
    while (!answer.endsWith('\r\n\r\n')) {
      const [chunk] = await once(socket, 'data')
      answer += chunk.toString('latin1')
    }
    if (!answer.startsWith('HTTP/1.1 101 ')) throw new Error(`handshake answered with ${answer.split('\r\n', 1)[0]}`)
    return new EchoConnection(socket)
  }

  /** Sends `messages` with at most `window` unanswered at any time; resolves when all are echoed. */
  echo(messages: number, window: number): Promise<void> {
    const socket = this.#socket
    const burst = repeated(request, Math.min(window, messages))
    return new Promise((resolve, reject) => {
      let unsent = messages
      let receivedBytes = 0
      let echoed = 0
      const send = (count: number) => {
        unsent -= count
        socket.write(burst.subarray(0, count * request.length))
      }
      const finish = (error?: Error) => {
        socket.off('data', receive).off('error', finish).off('close', closed)
        if (error === undefined) resolve()
        else reject(error)
      }
      const closed = () => finish(new Error('the server closed the connection'))
      const receive = (chunk: Buffer) => {
        const offset = receivedBytes % response.length
        if (expected.compare(chunk, 0, chunk.length, offset, offset + chunk.length) !== 0) {
          return finish(new Error('the echo differs from what was sent'))
        }
        receivedBytes += chunk.length
        const answered = Math.floor(receivedBytes / response.length) - echoed
        echoed += answered
        if (unsent > 0 && answered > 0) send(Math.min(answered, unsent))
        else if (echoed === messages) finish()
      }
      socket.on('data', receive).on('error', finish).on('close', closed)
      send(Math.min(window, messages))
    })
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }
}
