import { connect as connectSocket, type Socket } from 'node:net'
import { Queue } from '@otel-ws/testing'
import { decodeFrames, encodeFrame, type Frame, type FrameOptions } from './frames.ts'
import { completeUrl } from './offer.ts'

export interface UpgradeOptions {
  readonly method?: string
  /** Added to the headers of a valid upgrade; `undefined` leaves a header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Bytes written together with the request. */
  readonly head?: Buffer
}

/** A client that speaks HTTP and frames by hand, and keeps every byte that the server sends. */
export class RawClient {
  readonly socket: Socket
  /** Resolves with the status line and headers of the answer. */
  readonly response: Promise<{ status: number; text: string }>
  /** Resolves once the connection is gone, with every byte received. */
  readonly closed: Promise<Buffer>
  readonly #frames = new Queue<Frame>('frame')
  readonly #chunks: Buffer[] = []

  constructor(url: string, { method = 'GET', headers = {}, head }: UpgradeOptions = {}) {
    const { hostname, port, pathname, search } = new URL(completeUrl(url))
    const all: Record<string, string | undefined> = {
      host: `${hostname}:${port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    }
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value.replace('<key>', all['sec-websocket-key'] ?? '')}`],
    )
    const request = Buffer.from(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1')

    this.socket = connectSocket(Number(port), hostname)
    this.socket.setNoDelay()
    this.socket.write(head ? Buffer.concat([request, head]) : request)

    let pending = Buffer.alloc(0)
    let upgraded = false
    this.response = new Promise((resolve, reject) => {
      this.socket.on('data', (chunk) => {
        this.#chunks.push(chunk)
        pending = Buffer.concat([pending, chunk])
        if (!upgraded) {
          const end = pending.indexOf('\r\n\r\n')
          if (end === -1) return
          const text = pending.subarray(0, end).toString()
          upgraded = true
          pending = pending.subarray(end + 4)
          resolve({ status: Number(text.slice(9, 12)), text })
          if (!text.startsWith('HTTP/1.1 101')) {
            pending = Buffer.alloc(0)
            return
          }
        }
        const { frames, rest } = decodeFrames(pending)
        pending = Buffer.from(rest)
        for (const frame of frames) this.#frames.push(frame)
      })
      this.socket.on('close', () => reject(new Error('closed without an answer')))
    })
    this.response.catch(() => {})
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#frames.end(new Error('closed while a frame was awaited'))
        resolve(Buffer.concat(this.#chunks))
      })
    })
  }

  send(opcode: number, payload?: string | Buffer, options?: FrameOptions): void {
    this.socket.write(encodeFrame(opcode, payload, options))
  }

  /** Writes bytes as they are: several frames in one chunk, or no frame at all. */
  write(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes))
  }

  nextFrame(): Promise<Frame> {
    return this.#frames.next()
  }

  /** Sends a FIN and no close frame. */
  end(): void {
    this.socket.end()
  }

  /** Cuts the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}

/** Sends an upgrade by hand and waits for its acceptance. */
export async function rawConnect(url: string, options?: UpgradeOptions): Promise<RawClient> {
  const client = new RawClient(url, options)
  const { status } = await client.response
  if (status !== 101) throw new Error(`the upgrade was answered with ${status}`)
  return client
}
