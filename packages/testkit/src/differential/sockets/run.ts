import type { WebSocket } from 'ws'
import { turns } from '../../shared/turns.ts'
import type { Harness, Host } from '../../sockets/harness.ts'
import { randomFrames } from '../../sockets/transparency/random-frames.ts'
import { closePayload, encodeFrame, OPCODE } from '../../testing/frames.ts'
import { HEADER_OFFER } from '../../testing/offer.ts'
import { type RawClient, rawConnect } from '../../testing/raw-client.ts'
import { type Log, type Logs, recordLogs } from '../log.ts'
import type { Options } from '../property.ts'
import { listen } from './listeners.ts'
import type { ClientMessage, SocketScript, Step } from './script.ts'
import { dataAt, emittedAt, optionsAt, pingDataAt } from './values.ts'

/** Runs a script on a host whose users have sockets of `ws`. Returns the log of each part. */
export async function runSocketScript(harness: Harness, script: SocketScript, telemetry: Options): Promise<Logs> {
  return recordLogs(async (log) => {
    const run = new SocketRun(script, log)
    const host = await harness.start({
      telemetry,
      connection: (socket) => run.connected(socket.raw as WebSocket),
      ...(script.compresses && { server: { perMessageDeflate: { threshold: 0 } } }),
    })
    try {
      await run.perform(host)
    } finally {
      run.destroy()
      await host.close()
      await host.shutdown()
    }
  })
}

/** One connection of a script. */
interface Pair {
  readonly name: string
  readonly raw: WebSocket
  readonly client: RawClient
  readonly removers: (() => void)[]
  /** Resolves when the server's socket has emitted `close`. */
  readonly closed: Promise<void>
  isOpen: boolean
}

class SocketRun {
  readonly log: Log
  readonly #script: SocketScript
  readonly #pairs: Pair[] = []
  readonly #sockets: WebSocket[] = []
  readonly #closed: Promise<void>[] = []
  readonly #removers: (() => void)[][] = []
  #barriers = 0

  constructor(script: SocketScript, log: Log) {
    this.log = log
    this.#script = script
  }

  /** The application's handler of connections. */
  connected(raw: WebSocket): void {
    const part = `server ${this.#sockets.length}`
    const { log } = this
    this.#sockets.push(raw)
    for (const event of ['ping', 'pong', 'error'] as const) {
      raw.on(event, (value) => log.add(part, event, value, raw.readyState))
    }
    this.#closed.push(
      new Promise((resolve) => {
        raw.on('close', (code, reason) => {
          log.add(part, 'close', code, reason, raw.readyState)
          resolve()
        })
      }),
    )
    const speaker = { raw, part, log, all: this.#sockets }
    this.#removers.push(this.#script.listeners.map((listener, index) => listen(speaker, listener, `listener ${index}`)))
  }

  async perform(host: Host): Promise<void> {
    const { connections, compresses, offers, steps } = this.#script
    const headers = {
      ...(compresses && { 'sec-websocket-extensions': 'permessage-deflate' }),
      ...(offers && { 'otel-ws': HEADER_OFFER }),
    }
    for (let n = 0; n < connections; n++) {
      const client = await rawConnect(host.url, { headers })
      while (this.#sockets.length <= n) await turns(1)
      const [raw, closed, removers] = [this.#sockets[n], this.#closed[n], this.#removers[n]]
      this.#pairs.push({ name: String(n), client, isOpen: true, raw, closed, removers } as Pair)
    }
    for (const step of steps) {
      const pair = this.#pairs[step.at % connections] as Pair
      await this.#perform(pair, step)
      await this.#settle(pair)
    }
    for (const pair of this.#pairs) {
      if (pair.isOpen) await this.#leave(pair, closePayload(1000))
      if (offers) this.log.forget(`client ${pair.name}`)
    }
  }

  destroy(): void {
    for (const { client } of this.#pairs) client.socket.destroy()
  }

  /** Waits until both ends have read what the other has written, and handlers have settled. */
  async #settle(pair: Pair): Promise<void> {
    await this.#barrier(pair)
    await turns(6)
    await this.#barrier(pair)
  }

  async #barrier(pair: Pair): Promise<void> {
    if (!pair.isOpen) return
    const payload = `barrier ${this.#barriers++}`
    pair.client.send(OPCODE.ping, payload)
    await this.#read(pair, (opcode, data) => opcode === OPCODE.pong && data === payload)
  }

  /** Logs the frames that a client receives, until the one that is awaited or the end of the connection. */
  async #read(pair: Pair, isLast: (opcode: number, data: string) => boolean): Promise<void> {
    const part = `client ${pair.name}`
    for (;;) {
      const frame = await pair.client.nextFrame().catch(() => undefined)
      if (frame === undefined) return this.#ended(pair)
      const { opcode, fin, reserved, payload } = frame
      if (isLast(opcode, payload.toString())) return
      this.log.add(part, opcode, fin, reserved, payload.toString('latin1'))
      if (opcode === OPCODE.close) return this.#leave(pair, payload)
    }
  }

  /** Answers or sends a close frame, and ends the connection. */
  async #leave(pair: Pair, payload: Buffer): Promise<void> {
    pair.client.send(OPCODE.close, payload)
    await turns(10)
    pair.client.end()
    return this.#ended(pair)
  }

  async #ended(pair: Pair): Promise<void> {
    if (!pair.isOpen) return
    pair.isOpen = false
    await pair.client.closed
    await pair.closed
    await turns(6)
  }

  /** Calls a method of the application, and logs what it returns or throws. */
  #call({ name }: Pair, method: string, call: () => unknown): void {
    const part = `server ${name}`
    try {
      this.log.add(part, method, 'returned', call())
    } catch (error) {
      this.log.add(part, method, 'threw', error)
    }
  }

  async #perform(pair: Pair, step: Step): Promise<void> {
    const { raw, client, name } = pair
    const part = `server ${name}`
    switch (step.do) {
      case 'client sends':
        if (pair.isOpen) await this.#write(pair, step.messages)
        break
      case 'client pings':
        if (pair.isOpen) client.send(OPCODE.ping, step.data)
        break
      case 'server sends':
        for (const { data, options, callback } of step.sends) {
          const args = [dataAt(data), ...(optionsAt(options) === undefined ? [] : [optionsAt(options)])]
          if (callback) args.push((...results: unknown[]) => this.log.add(`${part} callbacks`, ...results))
          this.#call(pair, 'send', () => raw.send(...(args as [never])))
        }
        break
      case 'server sends fragments':
        step.parts.forEach((data, index) => {
          this.#call(pair, 'send', () => raw.send(data, { fin: index === step.parts.length - 1 }))
        })
        break
      case 'server sends to all':
        for (const other of this.#pairs) this.#call(other, 'send', () => other.raw.send(dataAt(step.data) as never))
        break
      case 'server listens':
        pair.removers.push(
          listen({ raw, part, log: this.log, all: this.#sockets }, step.listener, `later ${pair.removers.length}`),
        )
        break
      case 'server stops listening':
        if (pair.removers.length > 0) pair.removers[step.nth % pair.removers.length]?.()
        break
      case 'server emits':
        this.#call(pair, 'emit', () => raw.emit(step.event, ...emittedAt(step.values)))
        break
      case 'server pings':
        this.#call(pair, step.call, () => raw[step.call](pingDataAt(step.data) as never))
        break
      case 'server pauses':
        raw.pause()
        if (pair.isOpen) await this.#write(pair, step.messages)
        await turns(4)
        this.log.add(part, 'paused', raw.isPaused)
        raw.resume()
        break
      case 'server closes':
        this.#call(pair, 'close', () => raw.close(step.code, step.reason))
        break
      case 'server terminates':
        this.#call(pair, 'terminate', () => raw.terminate())
        break
      case 'client closes':
        if (pair.isOpen) await this.#leave(pair, step.code === undefined ? Buffer.alloc(0) : closePayload(step.code))
        break
      case 'client cuts':
        if (!pair.isOpen) break
        client.socket.destroy()
        await this.#ended(pair)
        break
      case 'client writes bytes':
        if (!pair.isOpen) break
        // What a broken frame is inflated to comes from another thread, in no certain order with the end.
        if (!this.#script.compresses) client.write(...randomFrames(step.seed))
        await turns(20)
        client.end()
        await this.#ended(pair)
        break
      case 'look':
        this.#look(pair, part)
    }
  }

  #look({ raw }: Pair, part: string): void {
    const { readyState, protocol, extensions, binaryType, isPaused, onmessage } = raw
    this.log.add(part, readyState, protocol, extensions, binaryType, isPaused, typeof onmessage, Object.keys(raw))
    this.log.add(part, raw.eventNames(), raw.listenerCount('message'), raw.rawListeners('message').length)
  }

  async #write({ client }: Pair, messages: readonly ClientMessage[]): Promise<void> {
    const hasAgreed = this.#script.offers && /^otel-ws:/im.test((await client.response).text)
    client.write(...messages.flatMap((message) => framesOf(message, hasAgreed)))
  }
}

/** A carrier as a client that has agreed inserts it. The application must not see it. */
const CARRIER = '"_otel":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'

function framesOf({ data, binary, cuts }: ClientMessage, hasAgreed: boolean): Buffer[] {
  const isObject = !binary && data.startsWith('{')
  const text = hasAgreed && isObject ? `{${CARRIER}${data === '{}' ? '' : ','}${data.slice(1)}` : data
  const bytes = Buffer.from(text)
  const ends = [...cuts].sort((a, b) => a - b).concat(bytes.length)
  let start = 0
  return ends.map((cut, index) => {
    const end = Math.min(cut, bytes.length)
    const part = bytes.subarray(start, end)
    start = Math.max(start, end)
    const opcode = index > 0 ? OPCODE.continuation : binary ? OPCODE.binary : OPCODE.text
    return encodeFrame(opcode, part, { fin: index === ends.length - 1 })
  })
}
