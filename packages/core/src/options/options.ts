import type { Attributes, MeterProvider, Span, TracerProvider } from '@opentelemetry/api'
import { CLOSE_CATEGORIES, CLOSE_ERRORS, type CloseCategory, type CloseInitiator } from '../close/close.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { AGREED_MEMBER, isMemberName } from '../propagation/negotiation.ts'
import { OptionError } from './option-error.ts'
import { parseSelector, type Selector } from './selector.ts'

/** The members of an upgrade request that otel-ws reads; Node's `IncomingMessage` has them. */
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

/** What a predicate of option `ignore` is asked about. */
export interface IgnoreSubject {
  readonly kind: 'connection' | 'message'
  readonly route: string | undefined
  /** The message's name; of messages only. */
  readonly name?: string | undefined
  /** `receive` or `send`; of messages only. */
  readonly direction?: 'receive' | 'send'
  /** The upgrade request; of connections only. */
  readonly request?: UpgradeRequest
}

/** What hook `onMessage` is told of a message that has a span. */
export interface MessageInfo {
  /** `undefined` for a broadcast whose connections are not known beforehand, and for its deliveries. */
  readonly connectionId: string | undefined
  readonly direction: 'receive' | 'send'
  /** The payload as the application sees it. What the hook puts on the span is its own responsibility. */
  readonly data: unknown
  readonly binary: boolean
}

/** What hook `onClose` is told. */
export interface CloseInfo {
  readonly connectionId: string
  readonly code: number
  readonly category: CloseCategory
  readonly initiator: CloseInitiator
  readonly reason: string | undefined
  /** The connection's duration in seconds. */
  readonly duration: number
}

/** Options of every adapter: one flat object, the same names everywhere. Each can also be set by a variable `OTEL_WS_*`. */
export interface TelemetryOptions {
  /** Off switch: `false` leaves the host untouched. Default `true`. Variable `OTEL_WS_ENABLED`. */
  enabled?: boolean
  /**
   * Shape of the traces. `linked`: each message is a trace of its own, linked to the handshake; for long-lived
   * connections. `connection`: one trace whose connection span has the messages as children; for short-lived ones.
   * Default `linked`. Variable `OTEL_WS_TRACES`.
   */
  traces?: 'linked' | 'connection'
  /** Milliseconds after which a connection span, or a process span whose handler does not settle, ends. Default 600000. Variable `OTEL_WS_MAX_CONNECTION_SPAN_AGE`. */
  maxConnectionSpanAge?: number
  /** Messages after which a connection span ends and the next segment starts. Default 1000. Variable `OTEL_WS_MAX_CONNECTION_SPAN_MESSAGES`. */
  maxConnectionSpanMessages?: number
  /** Spans for messages in either direction; metrics are not affected. Default `true`. Variable `OTEL_WS_MESSAGES`. */
  messages?: boolean
  /** Spans for outgoing messages and broadcasts; metrics are not affected. Default `true`. Variable `OTEL_WS_OUTGOING`. */
  outgoing?: boolean
  /**
   * `independent`: the SDK's sampler is asked for each message trace. `connection`: messages inherit the decision made
   * for the handshake; needs `connectionSampler` around the SDK's sampler. Default `independent`. Variable `OTEL_WS_MESSAGE_SAMPLING`.
   */
  messageSampling?: 'independent' | 'connection'
  /** Message spans per second that one connection may make, `Infinity` for no limit. Default 1000. Variable `OTEL_WS_MAX_MESSAGE_SPANS_PER_SECOND`. */
  maxMessageSpansPerSecond?: number
  /**
   * What is left alone. Ignored routes make neither spans nor metrics; ignored messages make no span and no duration,
   * and are counted. Lists of exact names or patterns, or a predicate. Default nothing. Variables
   * `OTEL_WS_IGNORE_ROUTES`, `OTEL_WS_IGNORE_MESSAGES` (comma-separated exact names).
   */
  ignore?:
    | { routes?: readonly (string | RegExp)[]; messages?: readonly (string | RegExp)[] }
    | ((subject: IgnoreSubject) => boolean)
  /**
   * Where a message's name stands: a path into the top level of a JSON text (`$.type`, `$[2]`), read from at most the
   * first 512 and the last 256 bytes, or a function of the payload. Default: messages have no name. Variable `OTEL_WS_MESSAGE_NAME`.
   */
  messageName?: string | ((data: unknown, binary: boolean) => string | undefined)
  /** Distinct message names before the rest is `_OTHER`. Default 200. Variable `OTEL_WS_MAX_MESSAGE_NAMES`. */
  maxMessageNames?: number
  /** Characters a message name may have before it is `_OTHER`. Default 64. Variable `OTEL_WS_MAX_MESSAGE_NAME_LENGTH`. */
  maxMessageNameLength?: number
  /** Route template of a host that has no routes: a text, or a function of the upgrade request. Variable `OTEL_WS_ROUTE`. */
  route?: string | ((request: UpgradeRequest) => string | undefined)
  /**
   * What a trace context sent by the peer, in the handshake or with a message, is used for: the parent of our span, a
   * link, or nothing. Default `parent`. Baggage comes in with `parent` only, from browsers only when `parent` was set
   * here, and goes out to clients only then. Variable `OTEL_WS_REMOTE_CONTEXT`.
   */
  remoteContext?: RemoteContext | ((request: UpgradeRequest) => RemoteContext)
  /**
   * Context in messages. `negotiated`: with peers that have said that they take it out again. `always`: with every peer,
   * in member `carrierName`. `off`: never. Default `negotiated`. Variable `OTEL_WS_PROPAGATION`.
   */
  propagation?: 'negotiated' | 'always' | 'off'
  /**
   * Name of the member that carries the context with `propagation: 'always'`, to understand peers that are not ours.
   * Default `_otel`, which is also what peers that negotiate use. Variable `OTEL_WS_CARRIER_NAME`.
   */
  carrierName?: string
  /**
   * Finds the trace context in messages whose format is the application's own, such as binary frames with a header: a
   * function of the payload that returns a carrier with the W3C texts, or nothing. Asked for each message that no
   * carrier came with; what it finds is used as `remoteContext` says. Default: such messages are not looked into.
   */
  messageContext?: (data: unknown, binary: boolean) => Carrier | undefined
  /** Buffered bytes above which a connection counts as slow. Default 1048576. Variable `OTEL_WS_SLOW_CONSUMER_BYTES`. */
  slowConsumerBytes?: number
  /** Record the histogram `websocket.server.message.size`. Default `false`. Variable `OTEL_WS_MESSAGE_SIZE_METRIC`. */
  messageSizeMetric?: boolean
  /** Tell frames, receive time and send time of each message on its span. Default `false`. Variable `OTEL_WS_FRAMES`. */
  frames?: boolean
  /** Record the text of close frames. Default `false`: it is the peer's data. Variable `OTEL_WS_CLOSE_REASON`. */
  closeReason?: boolean
  /** Close categories that are errors. Default `protocol_error`, `too_big`, `server_error`, `timeout`. Variable `OTEL_WS_CLOSE_ERRORS` (comma-separated). */
  closeErrors?: readonly CloseCategory[]
  /** Close codes of the application (3000 to 4999) that metrics tell exactly. Default none. Variable `OTEL_WS_CLOSE_CODES` (comma-separated). */
  closeCodes?: readonly number[]
  /** Milliseconds between pings of ours, measuring round trips. Default: no pings of ours. Variable `OTEL_WS_HEARTBEAT_INTERVAL`. */
  heartbeatInterval?: number
  /** Milliseconds after which an unanswered ping counts as missed. Default: the interval, or 1000 for the application's own pings. Variable `OTEL_WS_HEARTBEAT_TIMEOUT`. */
  heartbeatTimeout?: number
  /** Terminate connections that missed a ping of ours. Default `false`. Variable `OTEL_WS_HEARTBEAT_TERMINATE`. */
  heartbeatTerminate?: boolean
  /** Further query names whose values are recorded as `REDACTED`. Variable `OTEL_WS_REDACT_QUERY` (comma-separated). */
  redactQuery?: readonly string[]
  /** Record the host library's own session id. Default `false`. Variable `OTEL_WS_SESSION_ID`. */
  sessionId?: boolean
  /** Called with each recording handshake span when it starts; returned attributes are set on it. */
  onHandshake?: (span: Span, request: UpgradeRequest) => Attributes | void
  /** Called with each recording message span when it starts; returned attributes are set on it. */
  onMessage?: (span: Span, message: MessageInfo) => Attributes | void
  /** Called when a connection has closed, with the recording close (or connection) span; returned attributes are set on it. */
  onClose?: (span: Span, close: CloseInfo) => Attributes | void
  /** Default: the global one, also when it is registered later. */
  tracerProvider?: TracerProvider
  /** Default: the global one, also when it is registered later. */
  meterProvider?: MeterProvider
}

export type RemoteContext = 'parent' | 'link' | 'ignore'

type Required_ = Required<
  Pick<
    TelemetryOptions,
    | 'enabled'
    | 'traces'
    | 'maxConnectionSpanAge'
    | 'maxConnectionSpanMessages'
    | 'messages'
    | 'outgoing'
    | 'messageSampling'
    | 'maxMessageSpansPerSecond'
    | 'maxMessageNames'
    | 'maxMessageNameLength'
    | 'propagation'
    | 'carrierName'
    | 'slowConsumerBytes'
    | 'messageSizeMetric'
    | 'frames'
    | 'closeReason'
    | 'heartbeatTerminate'
    | 'redactQuery'
    | 'sessionId'
  >
>

/** Options after validation, with every default in place. Frozen. */
export interface ResolvedOptions extends Readonly<Required_> {
  /** `undefined` where it was not set: a peer is then trusted as a parent, and with its baggage less than if it was. */
  readonly remoteContext: TelemetryOptions['remoteContext'] | undefined
  readonly ignore: TelemetryOptions['ignore'] | undefined
  readonly messageName: Selector | ((data: unknown, binary: boolean) => string | undefined) | undefined
  readonly route: TelemetryOptions['route'] | undefined
  readonly closeErrors: ReadonlySet<CloseCategory>
  readonly closeCodes: ReadonlySet<number>
  readonly heartbeatInterval: number | undefined
  readonly heartbeatTimeout: number | undefined
  readonly messageContext: TelemetryOptions['messageContext'] | undefined
  readonly onHandshake: TelemetryOptions['onHandshake'] | undefined
  readonly onMessage: TelemetryOptions['onMessage'] | undefined
  readonly onClose: TelemetryOptions['onClose'] | undefined
  readonly tracerProvider: TracerProvider | undefined
  readonly meterProvider: MeterProvider | undefined
}

type Check = (value: unknown) => string | undefined
interface Spec {
  readonly check: Check
  readonly fromText?: (text: string) => unknown
  readonly fallback?: unknown
}

const boolean = (fallback: boolean): Spec => ({
  check: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  fromText: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : text),
  fallback,
})
const choice = (values: readonly string[], fallback: string): Spec => ({
  check: (value) => (values.includes(value as string) ? undefined : `must be one of ${quoteList(values)}`),
  fromText: (text) => text,
  fallback,
})
const number = (what: string, valid: (value: number) => boolean, fallback?: number): Spec => ({
  check: (value) => (typeof value === 'number' && valid(value) ? undefined : `must be ${what}`),
  fromText: (text) => (text.trim() === '' ? Number.NaN : Number(text)),
  fallback,
})
const positiveInteger = (fallback: number) =>
  number('a whole number of 1 or more', (value) => Number.isSafeInteger(value) && value >= 1, fallback)
const milliseconds = (fallback?: number) =>
  number('a number of milliseconds from 1 to 2147483647', (value) => value >= 1 && value <= 2147483647, fallback)
const hook: Spec = { check: (value) => (typeof value === 'function' ? undefined : 'must be a function') }
const list = (
  item: (value: unknown) => boolean,
  what: string,
  parse: (text: string) => unknown = (text) => text,
): Spec => ({
  check: (value) => (Array.isArray(value) && value.every(item) ? undefined : `must be a list of ${what}`),
  fromText: (text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(parse),
})
const provider = (method: string): Spec => ({
  check: (value) =>
    typeof (value as Record<string, unknown> | null)?.[method] === 'function'
      ? undefined
      : `must have a method ${method}()`,
})
const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isPattern = (value: unknown) => isText(value) || value instanceof RegExp
const REMOTE_CONTEXTS: readonly RemoteContext[] = ['parent', 'link', 'ignore']

const SPECS: { readonly [K in keyof Required<TelemetryOptions>]: Spec } = {
  enabled: boolean(true),
  traces: choice(['linked', 'connection'], 'linked'),
  maxConnectionSpanAge: milliseconds(600_000),
  maxConnectionSpanMessages: positiveInteger(1000),
  messages: boolean(true),
  outgoing: boolean(true),
  messageSampling: choice(['independent', 'connection'], 'independent'),
  maxMessageSpansPerSecond: number('a number above 0, or Infinity', (value) => value > 0, 1000),
  ignore: {
    check: (value) => {
      if (typeof value === 'function') return undefined
      if (typeof value !== 'object' || value === null) return 'must be { routes, messages } or a function'
      for (const [key, patterns] of Object.entries(value)) {
        if (key !== 'routes' && key !== 'messages') return `has no member ${key}: use routes and messages`
        if (!Array.isArray(patterns) || !patterns.every(isPattern)) return `.${key} must be a list of texts and RegExps`
      }
      return undefined
    },
  },
  messageName: {
    check: (value) =>
      typeof value === 'function' || (typeof value === 'string' && parseSelector(value) !== undefined)
        ? undefined
        : "must be a path such as '$.type' or '$[2]', or a function of the payload",
    fromText: (text) => text,
  },
  maxMessageNames: positiveInteger(200),
  maxMessageNameLength: positiveInteger(64),
  route: {
    check: (value) =>
      isText(value) || typeof value === 'function' ? undefined : 'must be a text or a function of the request',
    fromText: (text) => text,
  },
  remoteContext: {
    check: (value) =>
      typeof value === 'function' || REMOTE_CONTEXTS.includes(value as RemoteContext)
        ? undefined
        : `must be one of ${quoteList(REMOTE_CONTEXTS)}, or a function of the request`,
    fromText: (text) => text,
  },
  propagation: choice(['negotiated', 'always', 'off'], 'negotiated'),
  carrierName: {
    check: (value) => (isMemberName(value) ? undefined : 'must be a name of letters, digits, _, $, . and -'),
    fromText: (text) => text,
  },
  messageContext: hook,
  slowConsumerBytes: positiveInteger(1024 * 1024),
  messageSizeMetric: boolean(false),
  frames: boolean(false),
  closeReason: boolean(false),
  closeErrors: {
    ...list(
      (value) => CLOSE_CATEGORIES.includes(value as CloseCategory),
      `close categories (${CLOSE_CATEGORIES.join(', ')})`,
    ),
    fallback: CLOSE_ERRORS,
  },
  closeCodes: {
    ...list(
      (value) => Number.isInteger(value) && (value as number) >= 3000 && (value as number) <= 4999,
      'codes from 3000 to 4999',
      Number,
    ),
    fallback: [],
  },
  heartbeatInterval: milliseconds(),
  heartbeatTimeout: milliseconds(),
  heartbeatTerminate: boolean(false),
  redactQuery: { ...list(isText, 'query names'), fallback: [] },
  sessionId: boolean(false),
  onHandshake: hook,
  onMessage: hook,
  onClose: hook,
  tracerProvider: provider('getTracer'),
  meterProvider: provider('getMeter'),
}

/**
 * Validates options, fills in `OTEL_WS_*` variables and defaults, and freezes the result. An option set in code wins
 * over its variable.
 *
 * @throws OptionError that names the option, or the variable, and what to write instead
 */
export function resolveOptions(
  options: TelemetryOptions = {},
  env: Readonly<Record<string, string | undefined>> = environment(),
): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError('object', 'must be an object: pass { … } or nothing')
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(SPECS, name))
      throw new OptionError(name, `does not exist: ${suggestion(name, Object.keys(SPECS))}`)
  }
  const resolved: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(SPECS)) {
    const given = (options as Record<string, unknown>)[name]
    const variable = variableName(name)
    const text = env[variable]
    let label = name
    let value = given
    if (value === undefined && spec.fromText !== undefined && text !== undefined && text !== '') {
      label = `${name} (from ${variable})`
      value = spec.fromText(text)
    }
    if (value === undefined) {
      resolved[name] = spec.fallback
      continue
    }
    const problem = spec.check(value)
    if (problem !== undefined) throw new OptionError(label, `${problem}; got ${describeValue(value)}`)
    resolved[name] = Array.isArray(value) ? [...value] : value
  }
  resolved['ignore'] = copyIgnore(resolved['ignore'] as TelemetryOptions['ignore']) ?? ignoreFromEnvironment(env)
  if (resolved['heartbeatTerminate'] === true && resolved['heartbeatInterval'] === undefined) {
    throw new OptionError(
      'heartbeatTerminate',
      'needs heartbeatInterval: without pings of ours no connection is found dead',
    )
  }
  if (resolved['carrierName'] !== undefined && resolved['propagation'] !== 'always') {
    throw new OptionError('carrierName', "needs propagation: 'always': peers that negotiate know one name only")
  }
  resolved['carrierName'] ??= AGREED_MEMBER
  if (typeof resolved['messageName'] === 'string') resolved['messageName'] = parseSelector(resolved['messageName'])
  resolved['closeErrors'] = new Set(resolved['closeErrors'] as CloseCategory[])
  resolved['closeCodes'] = new Set(resolved['closeCodes'] as number[])
  return Object.freeze(resolved) as unknown as ResolvedOptions
}

const IGNORE_VARIABLES = { routes: 'OTEL_WS_IGNORE_ROUTES', messages: 'OTEL_WS_IGNORE_MESSAGES' } as const

/** `maxMessageNames` → `OTEL_WS_MAX_MESSAGE_NAMES`. */
function variableName(option: string): string {
  return `OTEL_WS_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/**
 * A line for each variable `OTEL_WS_*` that sets nothing, with what may have been meant.
 *
 * @param others names that are no options of ours and known all the same
 */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  others: readonly string[],
): string[] {
  const options = Object.entries<Spec>(SPECS).filter(([, { fromText }]) => fromText !== undefined)
  const known = [...options.map(([name]) => variableName(name)), ...Object.values(IGNORE_VARIABLES), ...others]
  return Object.keys(env)
    .filter((name) => name.startsWith('OTEL_WS_') && !known.includes(name))
    .map((name) => `otel-ws: variable ${name} sets nothing: ${suggestion(name, known)}`)
}

function ignoreFromEnvironment(env: Readonly<Record<string, string | undefined>>): TelemetryOptions['ignore'] {
  const parts = (text: string | undefined) =>
    text
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '') ?? []
  const routes = parts(env[IGNORE_VARIABLES.routes])
  const messages = parts(env[IGNORE_VARIABLES.messages])
  return routes.length + messages.length > 0 ? { routes, messages } : undefined
}

function copyIgnore(ignore: TelemetryOptions['ignore']): TelemetryOptions['ignore'] {
  if (typeof ignore !== 'object') return ignore
  return Object.freeze({ routes: [...(ignore.routes ?? [])], messages: [...(ignore.messages ?? [])] })
}

function environment(): Readonly<Record<string, string | undefined>> {
  const host = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return host.process?.env ?? {}
}

function quoteList(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ')
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function suggestion(name: string, names: readonly string[]): string {
  const lower = name.toLowerCase()
  const near = names.filter((known) => {
    const other = known.toLowerCase()
    return other.includes(lower) || lower.includes(other) || distance(lower, other) <= 3
  })
  return near.length > 0 ? `did you mean ${near.slice(0, 3).join(' or ')}?` : `the options are ${names.join(', ')}`
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + cost)
    }
    row = next
  }
  return row[b.length] as number
}
