import fc from 'fast-check'

/** How a listener of messages is registered. */
export type Registration = 'on' | 'once' | 'prependListener' | 'addListener' | 'addEventListener' | 'onmessage'

/** What a listener does with each message. */
export type Behaviour =
  | 'nothing'
  | 'echo'
  | 'echo twice'
  | 'echo later'
  | 'echo to all'
  | 'echo with callback'
  | 'reject'
  | 'reject later'
  | 'return a promise'
  | 'remove itself'
  | 'add another'
  | 'ping'
  | 'close'

/** A listener of messages. */
export interface ListenerSpec {
  readonly how: Registration
  readonly does: Behaviour
}

/** A message that a client writes, in one frame or more. */
export interface ClientMessage {
  readonly data: string
  readonly binary: boolean
  /** Positions at which it is cut into fragments. */
  readonly cuts: readonly number[]
}

/** A call of a server's socket with arguments by their index in the lists of `values.ts`. */
export interface ServerSend {
  readonly data: number
  readonly options: number
  readonly callback: boolean
}

/** One step; `at` is the index of the connection. */
export type Step = { readonly at: number } & (
  | { readonly do: 'client sends'; readonly messages: readonly ClientMessage[] }
  | { readonly do: 'client pings'; readonly data: string }
  | { readonly do: 'server sends'; readonly sends: readonly ServerSend[] }
  | { readonly do: 'server sends fragments'; readonly parts: readonly string[] }
  | { readonly do: 'server sends to all'; readonly data: number }
  | { readonly do: 'server listens'; readonly listener: ListenerSpec }
  | { readonly do: 'server stops listening'; readonly nth: number }
  | { readonly do: 'server emits'; readonly event: string; readonly values: number }
  | { readonly do: 'server pings'; readonly call: 'ping' | 'pong'; readonly data: number }
  | { readonly do: 'server pauses'; readonly messages: readonly ClientMessage[] }
  | { readonly do: 'server closes'; readonly code: number | undefined; readonly reason: string | undefined }
  | { readonly do: 'server terminates' }
  | { readonly do: 'client closes'; readonly code: number | undefined }
  | { readonly do: 'client cuts' }
  | { readonly do: 'client writes bytes'; readonly seed: number }
  | { readonly do: 'look' }
)

/** A random application with its clients. */
export interface SocketScript {
  readonly connections: number
  readonly listeners: readonly ListenerSpec[]
  readonly compresses: boolean
  /** Clients offer context in messages. The bytes that they receive are not compared then. */
  readonly offers: boolean
  readonly steps: readonly Step[]
}

const text = fc.oneof(
  fc.constantFrom('', 'a', 'hello', '{"type":"say","n":1}', '{}', '[1]', 'ä€😀', 'x'.repeat(130), 'y'.repeat(70_000)),
  fc.string({ maxLength: 20 }),
  fc.json({ maxDepth: 2 }),
)

const listener: fc.Arbitrary<ListenerSpec> = fc.record({
  how: fc.constantFrom<Registration[]>('on', 'once', 'prependListener', 'addListener', 'addEventListener', 'onmessage'),
  does: fc.constantFrom<Behaviour[]>(
    'nothing',
    'echo',
    'echo twice',
    'echo later',
    'echo to all',
    'echo with callback',
    'reject',
    'reject later',
    'return a promise',
    'remove itself',
    'add another',
    'ping',
    'close',
  ),
})

const message: fc.Arbitrary<ClientMessage> = fc.record({
  data: text,
  binary: fc.boolean(),
  cuts: fc.array(fc.nat({ max: 10 }), { maxLength: 2 }),
})

const messages = fc.array(message, { minLength: 1, maxLength: 4 })
const nth = fc.nat({ max: 20 })

const actions = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('client sends' as const), messages }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('server sends' as const),
      sends: fc.array(fc.record({ data: nth, options: nth, callback: fc.boolean() }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('server sends fragments' as const),
      parts: fc.array(text, { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('server sends to all' as const), data: nth }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('server listens' as const), listener }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('server stops listening' as const), nth }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('server emits' as const),
      event: fc.constantFrom('message', 'custom', 'ping', 'pong', 'open'),
      values: nth,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('server pings' as const),
      call: fc.constantFrom('ping' as const, 'pong' as const),
      data: nth,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('client pings' as const), data: fc.string({ maxLength: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('server pauses' as const), messages }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('server closes' as const),
      code: fc.constantFrom(undefined, 1000, 1001, 1011, 4321, 1005, 20),
      reason: fc.constantFrom(undefined, '', 'bye', 'r'.repeat(200)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server terminates' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('client closes' as const),
      code: fc.constantFrom(undefined, 1000, 1001, 3000, 4999, 999, 1006),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('client cuts' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('client writes bytes' as const), seed: fc.nat() }) },
)

/** Random applications on a server of `ws`. */
export const socketScripts: fc.Arbitrary<SocketScript> = fc.record({
  connections: fc.integer({ min: 1, max: 3 }),
  listeners: fc.array(listener, { maxLength: 3 }),
  compresses: fc.boolean(),
  offers: fc.boolean(),
  steps: fc.array(
    fc.tuple(fc.nat({ max: 2 }), actions).map(([at, action]) => ({ at, ...action }) as Step),
    { minLength: 1, maxLength: 10 },
  ),
})
