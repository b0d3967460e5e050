import { context, SpanKind, trace } from '@opentelemetry/api'
import { type ChatConnection, ChatTraffic } from './chat-traffic.ts'

/** Numbers in [0, 1) that are the same on every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const users = ['ada', 'grace', 'alan', 'barbara', 'edsger', 'donald', 'frances', 'ken'] as const

/** Some minutes of a chat server with everything worth looking at in them: what the screenshots and the tests show. */
export class ChatDay {
  readonly server: ChatTraffic
  readonly #node: ChatTraffic
  readonly #browser: ChatTraffic
  readonly #random = sequence(7)
  readonly #open: ChatConnection[] = []
  #connections = 0
  #second = 0

  constructor(endpoint: string) {
    this.server = new ChatTraffic({ endpoint, service: 'chat', instance: 'node-1' })
    this.#node = new ChatTraffic({ endpoint, service: 'chat', instance: 'node-2', encoding: 'json' })
    this.#browser = new ChatTraffic({
      endpoint,
      service: 'chat-web',
      instance: '',
      scope: '@otel-ws/client',
      encoding: 'json',
      gzip: false,
    })
  }

  /** `seconds` of traffic from `from` on, at about `perSecond` messages. */
  play(from: number, seconds: number, perSecond: number): void {
    while (this.#open.length < 12) this.#connect(from - this.#random() * 90_000)
    for (let played = 0; played < seconds; played++) {
      const second = this.#second++
      const at = from + played * 1000
      for (let index = 0; index < perSecond; index++) this.#message(at + (index * 1000) / perSecond)
      if (second % 3 === 0) this.server.ping(1 + 4 * this.#random())
      if (second % 17 === 5) this.server.reject('/chat/:room', at, 401, '10.0.0.66')
      if (second % 11 === 7) this.#depart(at + 999, second)
    }
  }

  /** Exports everything so far. */
  async flush(): Promise<void> {
    await Promise.all([this.server, this.#node, this.#browser].map(({ telemetry }) => telemetry.flush()))
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.server, this.#node, this.#browser].map(({ telemetry }) => telemetry.shutdown()))
  }

  #id(): string {
    this.#connections++
    return (0xa1b2_c3d4_0000 + this.#connections * 0x1_0001_1357).toString(16).padStart(16, '3f')
  }

  #connect(at: number): ChatConnection {
    const route = this.#random() < 0.8 ? '/chat/:room' : '/notifications'
    const peer = `10.0.0.${2 + Math.floor(this.#random() * 40)}`
    const user = users[Math.floor(this.#random() * users.length)]!
    const connection = this.server.connect(this.#id(), route, at, peer, user)
    connection.receive({ at: at + 20, name: 'room.join', duration: 3 })
    this.#open.push(connection)
    return connection
  }

  #depart(at: number, second: number): void {
    const connection = this.#open.shift()!
    const closes = [
      { code: 1000, category: 'normal', reason: 'bye' },
      { code: 1006, category: 'timeout', initiator: 'local', error: 'timeout' },
      { code: 1001, category: 'going_away' },
      { code: 1009, category: 'too_big', initiator: 'local', error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' },
    ] as const
    connection.close(at, closes[Math.floor(second / 11) % closes.length]!)
    this.#connect(at + 200)
  }

  #message(at: number): void {
    const connection = this.#open[Math.floor(this.#random() * this.#open.length)]!
    const chance = this.#random()
    const size = 60 + Math.floor(this.#random() * 200)
    if (chance < 0.04) {
      const within = connection.receive({ at, name: 'chat.summarize', duration: 700 + 400 * this.#random(), size })
      connection.send('chat.summary', at + 690, 2400, within)
    } else if (chance < 0.1) {
      const refused = chance < 0.07 ? { error: 'ValidationError' } : {}
      connection.receive({ at, name: 'order.place', duration: 12, size, ...refused })
    } else if (chance < 0.3) {
      connection.receive({ at, name: 'typing', duration: 0.2 + this.#random(), size: 40 })
    } else if (chance < 0.4) {
      this.#shared(connection, at, size)
    } else {
      const within = connection.receive({ at, name: 'chat.message', duration: 2 + 6 * this.#random(), size })
      this.server.broadcast('chat.message', at + 1, 5 + Math.floor(20 * this.#random()), within)
      for (const member of this.#open) member.member(size)
      connection.send('chat.receipt', at + 1.8, 48, within)
    }
  }

  /** A message whose sender and whose other node are services of their own: one trace over three processes. */
  #shared(connection: ChatConnection, at: number, size: number): void {
    const sent = this.#browser.telemetry.tracer.startSpan('send chat.message', {
      kind: SpanKind.PRODUCER,
      startTime: at - 4,
      attributes: { 'websocket.route': '/chat/:room', 'websocket.message.name': 'chat.message' },
    })
    sent.end(at - 3.6)
    const parent = trace.setSpan(context.active(), sent)
    const within = connection.receive({ at, name: 'chat.message', duration: 9, size, parent })
    this.server.telemetry.tracer
      .startSpan(
        'INSERT messages',
        { kind: SpanKind.CLIENT, startTime: at + 0.6, attributes: { 'db.system.name': 'postgresql' } },
        within,
      )
      .end(at + 4.1)
    this.server.broadcast('chat.message', at + 4.4, 18, within, this.#node)
    connection.send('chat.receipt', at + 7, 48, within)
  }
}
