import type { Attributes, MeterProvider, Span, TracerProvider } from '@opentelemetry/api'
import type { CloseCategory, CloseInitiator } from '../close/close.ts'
import type { Carrier } from '../propagation/carrier.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import type { Protocol } from '../protocols/protocol.ts'

/** The members of an upgrade request that are read; Node's `IncomingMessage` has them. */
export interface UpgradeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket?:
    | {
        readonly remoteAddress?: string | undefined
        readonly remotePort?: number | undefined
        readonly encrypted?: boolean
      }
    | undefined
}

/** The connection or message that a predicate of option `ignore` decides on. */
export interface IgnoreSubject {
  readonly kind: 'connection' | 'message'
  readonly route: string | undefined
  /** The message's name; messages only. */
  readonly name?: string | undefined
  /** `receive` or `send`; messages only. */
  readonly direction?: 'receive' | 'send'
  /** The upgrade request; connections only. */
  readonly request?: UpgradeRequest
}

/** Argument of hook `onMessage`: a message that has a span. */
export interface MessageInfo {
  /** `undefined` for a broadcast whose connections are not known beforehand, and for its deliveries. */
  readonly connectionId: string | undefined
  readonly direction: 'receive' | 'send'
  /** The payload as the application sees it. What the hook puts on the span is its own responsibility. */
  readonly data: unknown
  readonly binary: boolean
}

/** Argument of hook `onClose`. */
export interface CloseInfo {
  readonly connectionId: string
  readonly code: number
  readonly category: CloseCategory
  readonly initiator: CloseInitiator
  readonly reason: string | undefined
  /** The connection's duration in seconds. */
  readonly duration: number
}

/** Argument of hooks `around` and `isError`: the handler that is called. */
export interface HandlerInfo {
  /** The handlers of a message, of a new connection, or of the end of a connection. */
  readonly kind: 'message' | 'open' | 'disconnect'
  /** Empty at a client that awaits it from its server. */
  readonly connectionId: string
  readonly route: string | undefined
  /** The message's name; messages only. */
  readonly name?: string | undefined
}

/** What option `keep` records of messages that were not sampled. */
export interface KeepOptions {
  /** Messages that fail, and those that close their connection abnormally, or are open when it ends so. Default `true`. */
  errors?: boolean
  /** Milliseconds above which a message is slow: a number, or one for each name, `*` for all others. Default: none is. */
  slowerThan?: number | Readonly<Record<string, number>>
  /**
   * Messages a second that are recorded so, which names and error types share. Of each name and error at least one a minute
   * is. Default 20.
   */
  maxPerSecond?: number
}

/** Options of every adapter: one flat object, the same names everywhere. Each can also be set by a variable `OTEL_WS_*`. */
export interface TelemetryOptions {
  /** `false` leaves the host untouched. Default `true`. Variable `OTEL_WS_ENABLED`. */
  enabled?: boolean
  /**
   * Shape of the traces. `linked`: each message is a trace of its own, linked to the handshake; for long-lived
   * connections. `connection`: one trace whose connection span has the messages as children; for short-lived ones.
   * Default `linked`. Variable `OTEL_WS_TRACES`.
   */
  traces?: 'linked' | 'connection'
  /**
   * Kinds of the spans of messages. `paired`: PRODUCER and CLIENT only where a context goes out with the message, CONSUMER
   * only where one came with it, SERVER where one came or an answer is due, and INTERNAL otherwise, so that each kind finds
   * its partner in a service graph. `messaging`: always PRODUCER or CLIENT, and CONSUMER or SERVER, for backends that list
   * only such spans. Default `paired`. Variable `OTEL_WS_SPAN_KINDS`.
   */
  spanKinds?: 'paired' | 'messaging'
  /** Milliseconds after which a connection span, or a process span whose handler does not settle, ends. Default 600000. Variable `OTEL_WS_MAX_CONNECTION_SPAN_AGE`. */
  maxConnectionSpanAge?: number
  /** Messages after which a connection span ends and the next segment starts. Default 1000. Variable `OTEL_WS_MAX_CONNECTION_SPAN_MESSAGES`. */
  maxConnectionSpanMessages?: number
  /**
   * Messages that become children of one `process` or `open` span. Further ones that its code sends, such as those of a
   * subscription, are traces of their own, with a link of kind `cause` to it. Default 1000. Variable
   * `OTEL_WS_MAX_CHILD_SPANS`.
   */
  maxChildSpans?: number
  /** Spans for messages in either direction; metrics are not affected. Default `true`. Variable `OTEL_WS_MESSAGES`. */
  messages?: boolean
  /** Spans for outgoing messages and broadcasts; metrics are not affected. Default `true`. Variable `OTEL_WS_OUTGOING`. */
  outgoing?: boolean
  /**
   * `independent`: the SDK's sampler decides on each message trace. `connection`: messages inherit the decision made
   * for the handshake; needs `connectionSampler` around the SDK's sampler. Default `independent`. Variable `OTEL_WS_MESSAGE_SAMPLING`.
   */
  messageSampling?: 'independent' | 'connection'
  /**
   * Spans per second that all servers of the process may make together, with a burst of a second's worth and at most 512,
   * `false` or `Infinity` for no limit. A message, send or broadcast that starts a trace is recorded while spans are left;
   * spans inside of a trace are charged and never left out. Connections and names get equal shares; those with few messages
   * are left out last. Of servers with different limits, the lowest holds. The queue of the SDK's batch processor takes the
   * default. Default 1000. Variable `OTEL_WS_MAX_SPANS_PER_SECOND`.
   */
  maxSpansPerSecond?: number | false
  /**
   * Records messages that were not sampled, or were over a budget, if they turn out to have failed, closed their connection
   * abnormally, or taken long: one span, when they settle, in the trace of the message, with `websocket.keep.reason`. Needs
   * `keepSampler` around the SDK's sampler, or `keepTracerProvider`; what zero code starts has it. Default: nothing is kept.
   * Variable `OTEL_WS_KEEP` (`errors, slowerThan=250, slowerThan.say=100, maxPerSecond=20`).
   */
  keep?: KeepOptions
  /**
   * Provider of the tracer for spans that option `keep` records, whose sampler samples everything. Default: the one for all
   * spans.
   */
  keepTracerProvider?: TracerProvider
  /**
   * Names of received messages that share a span: one per connection, name and ten seconds, `aggregate {name}`, with their
   * number, bytes, longest duration and failures. The messages themselves have none, and what they cause has none; metrics
   * are not affected. Beyond 10,000 such spans at a time, messages are recorded one by one. Default: none. Variable
   * `OTEL_WS_AGGREGATE` (comma-separated).
   */
  aggregate?: readonly string[]
  /**
   * Times per second that messages which start a trace may ask the SDK's sampler, `Infinity` for no limit. Default: 1 for
   * samplers that may limit how many traces start in a second, which messages would otherwise use up; no limit for those
   * of the SDK, for samplers that `connectionSampler` wraps unless their name says that they limit a rate,
   * and for samplers that cannot be seen. Variable `OTEL_WS_MAX_SAMPLER_ASKS_PER_SECOND`.
   */
  maxSamplerAsksPerSecond?: number
  /** Message spans per second that one connection may make, `Infinity` for no limit. Default 1000. Variable `OTEL_WS_MAX_MESSAGE_SPANS_PER_SECOND`. */
  maxMessageSpansPerSecond?: number
  /**
   * Routes and messages without telemetry. Ignored routes have neither spans nor metrics; ignored messages have no span
   * and no duration, and are counted. Lists of exact names or patterns, or a predicate. Default: nothing. Variables
   * `OTEL_WS_IGNORE_ROUTES`, `OTEL_WS_IGNORE_MESSAGES` (comma-separated exact names).
   */
  ignore?:
    | { routes?: readonly (string | RegExp)[]; messages?: readonly (string | RegExp)[] }
    | ((subject: IgnoreSubject) => boolean)
  /**
   * Reads a message's name: a path into the top level of a JSON text (`$.type`, `$[2]`), read from at most the
   * first 512 and the last 256 bytes, or a function of the payload. Default: messages have no name. Variable `OTEL_WS_MESSAGE_NAME`.
   */
  messageName?: string | ((data: unknown, binary: boolean) => string | undefined)
  /** Distinct message names before the rest is `_OTHER`. Default 200. Variable `OTEL_WS_MAX_MESSAGE_NAMES`. */
  maxMessageNames?: number
  /** Characters a message name may have before it is `_OTHER`. Default 64. Variable `OTEL_WS_MAX_MESSAGE_NAME_LENGTH`. */
  maxMessageNameLength?: number
  /**
   * How messages are read as operations, such as queries, calls and subscriptions: the name of a protocol that is built in,
   * the result of `jsonOperations()` or `defineProtocol()`, a function of the upgrade request and the negotiated
   * subprotocol, or `false` for none. Default: by the subprotocol, otherwise by the form of the first messages. Variable
   * `OTEL_WS_PROTOCOL` (a name, `false`, or `json id=$.id name=$.type error=$.error item=… end=… cancel=… event=…`).
   */
  protocol?:
    | string
    | Protocol
    | false
    | ((request: UpgradeRequest, subprotocol: string | undefined) => string | Protocol | false | undefined)
  /**
   * Names of operations that are recorded; others are `_OTHER`: a list, a pattern, or a function that returns the name
   * to record. Default: those that have succeeded, at most 20 of a connection. Variable `OTEL_WS_OPERATION_NAMES`
   * (comma-separated).
   */
  operationNames?: readonly string[] | RegExp | ((name: string) => string | undefined)
  /** Record a span for each item of a subscription or stream. Default `false`. Variable `OTEL_WS_STREAM_ITEMS`. */
  streamItems?: boolean
  /** Operations that may be open on a connection in one direction; the oldest then end as `abandoned`. Default 1000. Variable `OTEL_WS_MAX_OPERATIONS`. */
  maxOperations?: number
  /** Milliseconds after which a request without an answer ends as `timeout`. Default 600000. Variable `OTEL_WS_MAX_OPERATION_AGE`. */
  maxOperationAge?: number
  /** Route template for hosts without routes: a string, or a function of the upgrade request. Variable `OTEL_WS_ROUTE`. */
  route?: string | ((request: UpgradeRequest) => string | undefined)
  /**
   * Use of a trace context that the peer sends in the handshake or with a message: parent of the span, link, or
   * nothing. Default `parent`. Baggage comes in with `parent` only, from browsers only when `parent` was set
   * here, and goes out to clients only then. Variable `OTEL_WS_REMOTE_CONTEXT`.
   */
  remoteContext?: RemoteContext | ((request: UpgradeRequest) => RemoteContext)
  /**
   * Context in messages. `negotiated`: only with peers that have agreed to remove it. `always`: with every peer, in
   * member `carrierName`. `off`: never. Default `negotiated`. Variable `OTEL_WS_PROPAGATION`.
   */
  propagation?: 'negotiated' | 'always' | 'off'
  /**
   * Name of the member that carries the context with `propagation: 'always'`, for peers with a format of
   * their own. It is written as first member. A received one is removed if it has the form that is written; elsewhere in
   * the top level of a JSON text it is read and left in place. Default `_otel`, the name that negotiating peers use. Variable `OTEL_WS_CARRIER_NAME`.
   */
  carrierName?: string
  /**
   * Hosts, with their port unless it is the default one, under which clients reach this server where a proxy in front of
   * it rewrites the header `Host`, such as `chat.example.com`. Clients that cannot set headers offer context in messages
   * for the host that they dial; the offer counts if that is the request's `Host` or one of these. Default: none. Variable
   * `OTEL_WS_AUTHORITIES` (comma-separated).
   */
  authorities?: readonly string[]
  /**
   * Reads the trace context of messages in a format of the application's own, such as binary frames with a header: a
   * function of the payload that returns a W3C carrier, or nothing. Called for each message without a carrier; the
   * result is used as option `remoteContext` says. Default: such messages are not read.
   */
  messageContext?: (data: unknown, binary: boolean) => Carrier | undefined
  /**
   * Handlers whose promises are followed, so that the span lasts until they have settled, on hosts that discard what handlers
   * return. `async-functions`: those that are written with `async`. `all`: also others that return a promise. If such a
   * promise is rejected and the application handles that elsewhere, the rejection is reported as unhandled with `all`, and
   * by default Node then ends the process. Handlers that a build compiles to ES2015 count as others. Default
   * `async-functions`. Variable `OTEL_WS_FOLLOW_PROMISES`.
   */
  followPromises?: 'async-functions' | 'all'
  /**
   * Attributes of a connection from its start, such as the user or tenant that the request names: a function of the upgrade
   * request. They are set on every span of the connection, the handshake's included. Later ones are set with
   * `connectionOf(socket).setAttributes()`.
   */
  connectionAttributes?: (request: UpgradeRequest) => Attributes | void
  /**
   * Names of attributes of `connectionAttributes` that go on metrics as well. Each combination of values is a series of its
   * own, so name those with few values only; of each, 100 values are recorded and others as `_OTHER`. Default: none.
   * Variable `OTEL_WS_METRIC_ATTRIBUTES` (comma-separated).
   */
  metricAttributes?: readonly string[]
  /**
   * Milliseconds without a message in either direction after which a connection counts as idle in the gauge
   * `websocket.server.connection.idle`, to within a tenth. Default: idle connections are not counted.
   * Variable `OTEL_WS_IDLE_TIMEOUT`.
   */
  idleTimeout?: number
  /** Buffered bytes above which a connection counts as slow. Default 1048576. Variable `OTEL_WS_SLOW_CONSUMER_BYTES`. */
  slowConsumerBytes?: number
  /** Record the histogram `websocket.server.message.size`. Default `false`. Variable `OTEL_WS_MESSAGE_SIZE_METRIC`. */
  messageSizeMetric?: boolean
  /** Record frames, receive time and send time of each message on its span. Default `false`. Variable `OTEL_WS_FRAMES`. */
  frames?: boolean
  /** Record the text of close frames. Default `false`: it is the peer's data. Variable `OTEL_WS_CLOSE_REASON`. */
  closeReason?: boolean
  /** Close categories that are errors. Default `protocol_error`, `too_big`, `server_error`, `timeout`. Variable `OTEL_WS_CLOSE_ERRORS` (comma-separated). */
  closeErrors?: readonly CloseCategory[]
  /** Close codes of the application (3000 to 4999) that metrics record exactly. Default: none. Variable `OTEL_WS_CLOSE_CODES` (comma-separated). */
  closeCodes?: readonly number[]
  /** Milliseconds between the pings that otel-ws sends to measure round trips. Default: it sends none. Variable `OTEL_WS_HEARTBEAT_INTERVAL`. */
  heartbeatInterval?: number
  /** Milliseconds after which an unanswered ping counts as missed. Default: the interval; for the application's own pings nine tenths of the time between the last two, and 1000 before there are two. Variable `OTEL_WS_HEARTBEAT_TIMEOUT`. */
  heartbeatTimeout?: number
  /** Terminate connections that did not answer a ping of `heartbeatInterval`. Default `false`. Variable `OTEL_WS_HEARTBEAT_TERMINATE`. */
  heartbeatTerminate?: boolean
  /**
   * Record scheme, host and client of the original request by the headers `X-Forwarded-*`, else `Forwarded`, that
   * proxies add: `true` trusts every proxy, a number that many of them, counted from this server. The address of the
   * socket is then `network.peer.address`. Anybody can write these headers: set it only behind a proxy that replaces
   * them. Default: the host's own setting (Fastify's `trustProxy`, Express's `trust proxy`), else `false`.
   * Variable `OTEL_WS_TRUST_PROXY`.
   */
  trustProxy?: boolean | number
  /** Further query names whose values are recorded as `REDACTED`. Variable `OTEL_WS_REDACT_QUERY` (comma-separated). */
  redactQuery?: readonly string[]
  /**
   * Query names whose values are recorded although their names or values look secret, such as `country_code`; also
   * subprotocols. Default: none. Variable `OTEL_WS_ALLOW_QUERY` (comma-separated).
   */
  allowQuery?: readonly string[]
  /** Record the host library's own session id. Default `false`. Variable `OTEL_WS_SESSION_ID`. */
  sessionId?: boolean
  /** Longest time in milliseconds that `shutdown()` waits for the SDK to export. Default 5000. Variable `OTEL_WS_SHUTDOWN_TIMEOUT`. */
  shutdownTimeout?: number
  /**
   * Runs around the handlers of each message, new connection and end of a connection, inside of their span: for the
   * isolation scopes of error trackers, or async stores. `run` calls the handlers, and returns and throws what they do; it
   * calls them exactly once and synchronously, also if the hook never calls it. What the hook returns is ignored. Not called
   * for what option `ignore` leaves out. Default: none.
   */
  around?: (run: () => unknown, info: HandlerInfo) => unknown
  /**
   * Decides whether an error of a handler is an error of the server: with `false` the span has `error.type`, and its status
   * stays unset. Other results leave the decision to the default. Default: every error is one, but in NestJS not a
   * `WsException`, as a guard that denies throws, nor an `HttpException` below 500.
   */
  isError?: (error: unknown, info: HandlerInfo) => boolean | undefined
  /** Called with each recording handshake span when it starts; returned attributes are set on it. */
  onHandshake?: (span: Span, request: UpgradeRequest) => Attributes | void
  /** Called with each recording message span when it starts; returned attributes are set on it. */
  onMessage?: (span: Span, message: MessageInfo) => Attributes | void
  /** Called when a connection has closed, with the recording close (or connection) span; returned attributes are set on it. */
  onClose?: (span: Span, close: CloseInfo) => Attributes | void
  /** Provider of the tracer. Default: the global one, also when it is registered later. */
  tracerProvider?: TracerProvider
  /** Provider of the meter. Default: the global one, also when it is registered later. */
  meterProvider?: MeterProvider
}
