/** Description of a kind of span. */
export interface SpanDescription {
  /** Form of its name; `{name}` is the message's name, otherwise the route. */
  readonly name: string
  readonly kind: string
  readonly parent: string
  readonly covers: string
}

/** Every kind of span, by the word that the tags `@on` of the schema use for it. */
export const SPANS: Readonly<Record<string, SpanDescription>> = {
  handshake: {
    name: '`GET {route}`, or `GET`',
    kind: 'SERVER; INTERNAL if a SERVER span of the request is active already',
    parent: "context in the request's headers, otherwise the active span",
    covers: 'upgrade request received → 101 written, rejected, or abandoned',
  },
  connect: {
    name: '`connect {route}`, of a client',
    kind: 'CLIENT',
    parent: 'active span, otherwise none',
    covers: 'the attempt to connect → open, or failed',
  },
  connection: {
    name: '`connection {route}`',
    kind: 'SERVER',
    parent: 'handshake',
    covers: "one segment of the connection's life; with `traces: 'connection'` only",
  },
  open: {
    name: '`open {route}`',
    kind: 'INTERNAL',
    parent: 'handshake',
    covers: 'the connection handler, until it settles',
  },
  disconnect: {
    name: '`disconnect {route}`',
    kind: 'INTERNAL',
    parent: "none; with `traces: 'connection'` the connection",
    covers:
      "the handler of the connection's end, until it settles; on hosts that have one, such as Nest's `handleDisconnect`",
  },
  'slow consumers': {
    name: '`slow consumers`',
    kind: 'INTERNAL',
    parent: 'none',
    covers:
      'every 10 s while a connection is above option `slowConsumerBytes`: an event `websocket.connection.buffered` for each of the 20 connections with the most buffered bytes',
  },
  process: {
    name: '`process {name}`',
    kind: "INTERNAL; CONSUMER if the sender's span is its parent; SERVER if the sender waits for an answer, and of a request, with `{operation}` for the name",
    parent: "none; with `traces: 'connection'` the connection; of a request in a batch, `process batch`",
    covers:
      'dispatch of a received message → every handler has settled; of a request → its answer is written, of a subscription → its items begin',
  },
  aggregate: {
    name: '`aggregate {name}`',
    kind: 'INTERNAL',
    parent: "none; with `traces: 'connection'` the connection",
    covers:
      'the messages of one name that a connection has received in ten seconds, or until its close; for the names in option `aggregate`, whose messages have no spans of their own',
  },
  send: {
    name: '`send {name}`',
    kind: 'INTERNAL; PRODUCER if its context goes out with the message, CLIENT if it does and an answer is awaited; CLIENT of a request, with `{operation}` for the name',
    parent: "active span; otherwise none, or with `traces: 'connection'` the connection",
    covers: 'the call → handed to the kernel; of a request → its answer is dispatched, or its items begin',
  },
  broadcast: {
    name: '`broadcast {name}`',
    kind: 'INTERNAL; PRODUCER if its context went out to the first recipient before there was a second',
    parent: 'active span, otherwise none',
    covers:
      'the fan-out to all recipients on this node: one span, not one per recipient; if acknowledgements are awaited, until they have arrived',
  },
  deliver: {
    name: '`deliver {name}`',
    kind: "INTERNAL; CONSUMER with `spanKinds: 'messaging'`",
    parent: 'the broadcast on another node',
    covers: 'the fan-out on each other node that the broadcast reaches; on hosts with cluster adapters',
  },
  complete: {
    name: '`complete {operation}`',
    kind: 'INTERNAL',
    parent: 'none; linked to the span of the operation',
    covers: 'the end of a subscription or stream, on both ends: items, bytes, duration and outcome',
  },
  close: {
    name: '`close {route}`',
    kind: 'INTERNAL',
    parent: "none; with `traces: 'connection'` the connection span has its attributes instead",
    covers: 'one per connection, always: duration, totals and reason',
  },
}
