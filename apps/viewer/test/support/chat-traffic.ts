import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { Telemetry, type TelemetryOptions } from './telemetry.ts'

const latency = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const lifetime = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14400, 43200, 86400]
const recipients = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

export interface Close {
  readonly code: number
  readonly category: string
  readonly initiator?: 'local' | 'remote' | 'network'
  readonly reason?: string
  readonly error?: string
}

export interface Message {
  /** Milliseconds since the epoch at which it was dispatched. */
  readonly at: number
  readonly name: string
  readonly duration: number
  readonly size?: number
  readonly error?: string
  /** Context of a sender that is another service. */
  readonly parent?: Context
}

/**
 * A chat server's telemetry, as the schema has it, at times of the caller's choice: hours of traffic without hours of
 * waiting.
 */
export class ChatTraffic {
  readonly telemetry: Telemetry
  readonly #process: Histogram
  readonly #handshake: Histogram
  readonly #lifetime: Histogram
  readonly #rtt: Histogram
  readonly #fanOut: Histogram
  readonly #active = new Map<string, number>()
  readonly #messages: Record<'receive' | 'send', number> = { receive: 0, send: 0 }
  readonly #bytes: Record<'receive' | 'send', number> = { receive: 0, send: 0 }

  constructor(options: TelemetryOptions) {
    this.telemetry = new Telemetry(options)
    const { meter } = this.telemetry
    const seconds = (name: string, boundaries: number[]) =>
      meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: boundaries } })
    this.#process = seconds('websocket.server.message.process.duration', latency)
    this.#handshake = seconds('websocket.server.handshake.duration', latency)
    this.#lifetime = seconds('websocket.server.connection.duration', lifetime)
    this.#rtt = seconds('websocket.server.ping.rtt', latency)
    this.#fanOut = meter.createHistogram('websocket.server.broadcast.recipients', {
      unit: '{connection}',
      advice: { explicitBucketBoundaries: recipients },
    })
    meter
      .createObservableUpDownCounter('websocket.server.connection.active', { unit: '{connection}' })
      .addCallback((result) => {
        for (const [route, count] of this.#active) result.observe(count, { 'websocket.route': route })
      })
    meter.createObservableGauge('websocket.server.send.buffered', { unit: 'By' }).addCallback((result) => {
      for (const route of this.#active.keys()) result.observe(0, { 'websocket.route': route })
    })
    const counted = (name: string, unit: string, values: Record<'receive' | 'send', number>) =>
      meter.createObservableCounter(name, { unit }).addCallback((result) => {
        result.observe(values.receive, { 'websocket.message.direction': 'receive' })
        result.observe(values.send, { 'websocket.message.direction': 'send' })
      })
    counted('websocket.server.messages', '{message}', this.#messages)
    counted('websocket.server.io', 'By', this.#bytes)
  }

  /** An accepted handshake; `user` is on the spans that follow it. */
  connect(id: string, route: string, at: number, peer = '127.0.0.1', user?: string): ChatConnection {
    const handshake = this.#handshakeSpan(id, route, at, peer, 2.4, 'accepted', 101)
    this.#active.set(route, (this.#active.get(route) ?? 0) + 1)
    return new ChatConnection(this, id, route, at + 2.4, handshake, user)
  }

  /** A handshake that was answered with an error. */
  reject(route: string, at: number, status: number, peer = '127.0.0.1'): void {
    const span = this.#handshakeSpan(undefined, route, at, peer, 1.1, 'rejected', status)
    this.telemetry.logger.emit({
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: 'rejected a login: the token expired 3 s ago',
      timestamp: new Date(at + 1),
      attributes: { 'user.id': 'mallory', 'client.address': peer },
      context: trace.setSpan(context.active(), span),
    })
  }

  /** A fan-out on this node, and where `node` is given on another one. */
  broadcast(name: string, at: number, count: number, parent: Context, node?: ChatTraffic): void {
    const span = this.telemetry.tracer.startSpan(
      `broadcast ${name}`,
      {
        kind: SpanKind.PRODUCER,
        startTime: at,
        attributes: {
          'websocket.route': '/chat/:room',
          'websocket.message.name': name,
          'websocket.broadcast.recipients': count,
          'websocket.broadcast.skipped': 0,
        },
      },
      parent,
    )
    span.end(at + 0.4 + count / 40)
    this.#fanOut.record(count, { 'websocket.message.name': name })
    this.count('send', count, 120)
    node?.telemetry.tracer
      .startSpan(
        `deliver ${name}`,
        {
          kind: SpanKind.CONSUMER,
          startTime: at + 3,
          attributes: {
            'websocket.route': '/chat/:room',
            'websocket.message.name': name,
            'websocket.broadcast.recipients': count + 3,
            'websocket.broadcast.skipped': 0,
            'websocket.deliver.lag': 0.0026,
          },
        },
        trace.setSpan(context.active(), span),
      )
      .end(at + 3.6)
  }

  ping(ms: number): void {
    this.#rtt.record(ms / 1000, { 'websocket.route': '/chat/:room' })
  }

  count(direction: 'receive' | 'send', messages: number, size: number): void {
    this.#messages[direction] += messages
    this.#bytes[direction] += messages * size
  }

  processed(name: string, ms: number, error: string | undefined): void {
    const failed = error === undefined ? {} : { 'error.type': error }
    this.#process.record(ms / 1000, { 'websocket.route': '/chat/:room', 'websocket.message.name': name, ...failed })
  }

  closed(route: string, seconds: number, close: Close): void {
    this.#active.set(route, (this.#active.get(route) ?? 1) - 1)
    this.#lifetime.record(seconds, {
      'websocket.route': route,
      'websocket.close.category': close.category,
      'websocket.close.code': close.code,
      'websocket.close.initiator': close.initiator ?? 'remote',
    })
  }

  #handshakeSpan(
    id: string | undefined,
    route: string,
    at: number,
    peer: string,
    duration: number,
    outcome: string,
    status: number,
  ): Span {
    const failed = status >= 400
    const span = this.telemetry.tracer.startSpan(`GET ${route}`, {
      kind: SpanKind.SERVER,
      startTime: at,
      attributes: {
        'http.request.method': 'GET',
        'http.route': route,
        'http.response.status_code': status,
        'url.path': route.replace(':room', 'lobby'),
        'url.query': 'token=REDACTED',
        'client.address': peer,
        'client.port': 40_000 + (Number.parseInt((id ?? '0').slice(-4), 16) % 20_000),
        // What is turned away is no connection.
        ...(id !== undefined && { 'websocket.connection.id': id }),
        'websocket.route': route,
        'websocket.handshake.outcome': outcome,
        ...(failed && { 'error.type': String(status) }),
      },
    })
    span.end(at + duration)
    this.#handshake.record(duration / 1000, {
      'websocket.route': route,
      'websocket.handshake.outcome': outcome,
      'http.response.status_code': status,
    })
    return span
  }
}

/** One connection of the chat server. */
export class ChatConnection {
  readonly id: string
  readonly handshake: Span
  readonly #traffic: ChatTraffic
  readonly #route: string
  readonly #common: Attributes
  readonly #opened: number
  readonly #totals = { received: 0, sent: 0, bytesReceived: 0, bytesSent: 0 }
  /** Messages sent as the member of a broadcast, which has no span for each member. */
  #members = 0

  constructor(traffic: ChatTraffic, id: string, route: string, opened: number, handshake: Span, user?: string) {
    this.#traffic = traffic
    this.id = id
    this.#route = route
    this.#common = {
      'websocket.connection.id': id,
      'websocket.route': route,
      ...(user !== undefined && { 'user.id': user }),
    }
    this.#opened = opened
    this.handshake = handshake
    const span = this.#start(
      `open ${route}`,
      SpanKind.INTERNAL,
      opened,
      {},
      trace.setSpan(context.active(), handshake),
      [],
    )
    span.end(opened + 0.8)
  }

  /** A message and its handler. Returns the context of the process span, for what the handler does. */
  receive({ at, name, duration, size = 96, error, parent }: Message): Context {
    this.#totals.received++
    this.#totals.bytesReceived += size
    this.#traffic.count('receive', 1, size)
    this.#traffic.processed(name, duration, error)
    const span = this.#start(
      `process ${name}`,
      SpanKind.CONSUMER,
      at,
      {
        'websocket.message.name': name,
        'websocket.message.type': 'text',
        'websocket.message.size': size,
        'websocket.message.sequence': this.#totals.received,
      },
      parent ?? context.active(),
      [this.#link()],
    )
    if (error !== undefined) {
      span.setAttribute('error.type', error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: `${name} was refused` })
      span.recordException(
        { name: error, message: `${name} was refused`, stack: `${error}: refused\n    at handler` },
        at,
      )
    }
    span.end(at + duration)
    return trace.setSpan(context.active(), span)
  }

  send(name: string, at: number, size: number, parent: Context | undefined): void {
    this.#totals.sent++
    this.#totals.bytesSent += size
    this.#traffic.count('send', 1, size)
    this.#start(
      `send ${name}`,
      SpanKind.PRODUCER,
      at,
      {
        'websocket.message.name': name,
        'websocket.message.type': 'text',
        'websocket.message.size': size,
        'websocket.message.sequence': this.#totals.sent,
        ...this.#counts(),
      },
      parent ?? context.active(),
      parent === undefined ? [this.#link()] : [],
    ).end(at + 0.12)
  }

  /** A message of a broadcast that reaches this connection too. */
  member(size: number): void {
    this.#members++
    this.#totals.sent++
    this.#totals.bytesSent += size
  }

  close(at: number, close: Close): void {
    const seconds = (at - this.#opened) / 1000
    const span = this.#start(
      `close ${this.#route}`,
      SpanKind.INTERNAL,
      at,
      {
        'network.protocol.name': 'websocket',
        'websocket.close.code': close.code,
        'websocket.close.category': close.category,
        'websocket.close.initiator': close.initiator ?? 'remote',
        ...(close.reason !== undefined && { 'websocket.close.reason': close.reason }),
        ...(close.error !== undefined && { 'error.type': close.error }),
        'websocket.connection.duration': seconds,
        'websocket.connection.messages.received': this.#totals.received,
        'websocket.connection.messages.sent': this.#totals.sent,
        'websocket.connection.bytes.received': this.#totals.bytesReceived,
        'websocket.connection.bytes.sent': this.#totals.bytesSent,
        ...this.#counts(),
      },
      context.active(),
      [this.#link()],
    )
    if (close.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(at + 0.05)
    this.#traffic.closed(this.#route, seconds, close)
  }

  /** What of the sequence has no span, up to now. */
  #counts(): Attributes {
    return {
      'websocket.connection.messages.sent.broadcast': this.#members,
      'websocket.connection.messages.sent.unrecorded': 0,
    }
  }

  #link(): Link {
    return { context: this.handshake.spanContext(), attributes: { 'websocket.link.kind': 'handshake' } }
  }

  #start(name: string, kind: SpanKind, at: number, attributes: Attributes, parent: Context, links: Link[]): Span {
    return this.#traffic.telemetry.tracer.startSpan(
      name,
      {
        kind,
        startTime: at,
        links,
        attributes: { ...this.#common, ...attributes },
      },
      parent,
    )
  }
}
