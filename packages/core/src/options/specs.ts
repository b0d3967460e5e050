import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import { CLOSE_CATEGORIES, CLOSE_ERRORS, type CloseCategory } from '../close/close.ts'
import { AGREED_MEMBER, isMemberName } from '../propagation/negotiation.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import { parseJsonOperations } from '../protocols/json-operations.ts'
import { isProtocol } from '../protocols/protocol.ts'
import { PROTOCOL_NAMES } from '../protocols/registry.ts'
import { isAuthority } from './authority.ts'
import { parseKeep } from './keep.ts'
import { parseSelector } from './selector.ts'
import {
  boolean,
  choice,
  describeValue,
  hook,
  isPattern,
  isText,
  list,
  milliseconds,
  mustBe,
  number,
  positiveInteger,
  provider,
  quoteList,
  type Spec,
  splitList,
} from './spec.ts'
import type { KeepOptions, TelemetryOptions } from './types.ts'

const REMOTE_CONTEXTS: readonly RemoteContext[] = ['parent', 'link', 'ignore']

const ignore: Spec<TelemetryOptions['ignore']> = {
  type: '{ routes, messages } with lists of strings and RegExps, or a function',
  check(value) {
    if (typeof value === 'function') return undefined
    if (typeof value !== 'object' || value === null) {
      return mustBe('{ routes, messages } or a function', value)
    }
    for (const [key, patterns] of Object.entries(value)) {
      if (key !== 'routes' && key !== 'messages') return `has no member ${key}: use routes and messages`
      if (!Array.isArray(patterns))
        return `.${key} must be a list of strings and RegExps; got ${describeValue(patterns)}`
      const index = patterns.findIndex((pattern) => !isPattern(pattern))
      if (index !== -1) return `.${key}[${index}] must be a string or RegExp; got ${describeValue(patterns[index])}`
    }
    return undefined
  },
  fallback: undefined,
}

const messageName: Spec<TelemetryOptions['messageName']> = {
  type: "a path such as '$.type' or '$[2]', or a function of the payload",
  check: (value) =>
    typeof value === 'function' || (typeof value === 'string' && parseSelector(value) !== undefined)
      ? undefined
      : mustBe(messageName.type, value),
  fromText: (text) => text,
  fallback: undefined,
}

const route: Spec<TelemetryOptions['route']> = {
  type: 'a string or a function of the request',
  check: (value) => (isText(value) || typeof value === 'function' ? undefined : mustBe(route.type, value)),
  fromText: (text) => text,
  fallback: undefined,
}

const remoteContext: Spec<TelemetryOptions['remoteContext']> = {
  type: `${quoteList(REMOTE_CONTEXTS, ' | ')}, or a function of the request`,
  check: (value) =>
    typeof value === 'function' || REMOTE_CONTEXTS.includes(value as RemoteContext)
      ? undefined
      : mustBe(`one of ${quoteList(REMOTE_CONTEXTS, ', ')}, or a function of the request`, value),
  fromText: (text) => text,
  fallback: undefined,
}

const trustProxy: Spec<boolean | number | undefined> = {
  type: 'true, false, or a number of proxies of 1 or more',
  check: (value) =>
    typeof value === 'boolean' || (Number.isSafeInteger(value) && (value as number) >= 1)
      ? undefined
      : mustBe(trustProxy.type, value),
  fromText: (text) =>
    /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : /^\d+$/.test(text) ? Number(text) : text,
  fallback: undefined,
}

const maxSpansPerSecond: Spec<number | false> = {
  type: 'a number above 0, Infinity, or false',
  check: (value) =>
    value === false || (typeof value === 'number' && value > 0) ? undefined : mustBe(maxSpansPerSecond.type, value),
  fromText: (text) => (/^false$/i.test(text) ? false : text.trim() === '' ? Number.NaN : Number(text)),
  fallback: 1000,
}

const keep: Spec<KeepOptions | undefined> = {
  type: '{ errors, slowerThan, maxPerSecond }',
  check(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return mustBe(keep.type, value)
    for (const [key, member] of Object.entries(value)) {
      const problem = keepProblem(key, member)
      if (problem !== undefined) return problem
    }
    return undefined
  },
  fromText: parseKeep,
  fallback: undefined,
}

function keepProblem(key: string, value: unknown): string | undefined {
  const isAbove0 = (number: unknown) => typeof number === 'number' && number > 0
  if (value === undefined) return undefined
  if (key === 'errors') return typeof value === 'boolean' ? undefined : `.errors ${mustBe('true or false', value)}`
  if (key === 'maxPerSecond') return isAbove0(value) ? undefined : `.maxPerSecond ${mustBe('a number above 0', value)}`
  if (key !== 'slowerThan') return `has no member ${key}: use errors, slowerThan and maxPerSecond`
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isAbove0(value) || (isMap && Object.values(value).every(isAbove0))
    ? undefined
    : `.slowerThan ${mustBe('a number of milliseconds above 0, or one for each name', value)}`
}

const carrierName: Spec<string | undefined> = {
  type: 'a name of letters, digits, _, $, . and -',
  check: (value) => (isMemberName(value) ? undefined : mustBe(carrierName.type, value)),
  fromText: (text) => text,
  fallback: undefined,
}

const protocol: Spec<TelemetryOptions['protocol']> = {
  type: `${quoteList(PROTOCOL_NAMES, ' | ')} | false, a protocol, or a function of the request`,
  check: (value) =>
    value === false || typeof value === 'function' || isProtocol(value) || PROTOCOL_NAMES.includes(value as string)
      ? undefined
      : mustBe(
          `one of ${quoteList(PROTOCOL_NAMES, ', ')}, false, the result of jsonOperations() or defineProtocol(), or a function`,
          value,
        ),
  fromText: (text) => (/^false$/i.test(text) ? false : (parseJsonOperations(text) ?? text)),
  fallback: undefined,
}

const operationNames: Spec<TelemetryOptions['operationNames']> = {
  type: 'a list of strings, a RegExp, or a function of the name',
  check: (value) =>
    typeof value === 'function' || value instanceof RegExp || (Array.isArray(value) && value.every(isText))
      ? undefined
      : mustBe(operationNames.type, value),
  fromText: splitList,
  fallback: undefined,
}

/** Every option: the one table that validates them, reads their variables and generates their reference. */
export const SPECS = {
  enabled: boolean(true),
  traces: choice(['linked', 'connection'], 'linked'),
  spanKinds: choice(['paired', 'messaging'], 'paired'),
  maxConnectionSpanAge: milliseconds(600_000),
  maxConnectionSpanMessages: positiveInteger(1000),
  maxChildSpans: positiveInteger(1000),
  messages: boolean(true),
  outgoing: boolean(true),
  messageSampling: choice(['independent', 'connection'], 'independent'),
  maxSpansPerSecond,
  aggregate: list<string>(isText, 'message names', []),
  keep,
  keepTracerProvider: provider<TracerProvider>('getTracer'),
  maxSamplerAsksPerSecond: number<number | undefined>('a number above 0, or Infinity', (value) => value > 0, undefined),
  maxMessageSpansPerSecond: number('a number above 0, or Infinity', (value) => value > 0, 1000),
  ignore,
  messageName,
  maxMessageNames: positiveInteger(200),
  maxMessageNameLength: positiveInteger(64),
  protocol,
  operationNames,
  streamItems: boolean(false),
  maxOperations: positiveInteger(1000),
  maxOperationAge: milliseconds(600_000),
  route,
  remoteContext,
  propagation: choice(['negotiated', 'always', 'off'], 'negotiated'),
  carrierName,
  authorities: list<string>(isAuthority, "hosts with their port, such as 'chat.example.com' or 'localhost:8080'", []),
  messageContext: hook<TelemetryOptions['messageContext']>(),
  followPromises: choice(['async-functions', 'all'], 'async-functions'),
  connectionAttributes: hook<TelemetryOptions['connectionAttributes']>(),
  metricAttributes: list<string>(isText, 'attribute names', []),
  idleTimeout: milliseconds(undefined),
  slowConsumerBytes: positiveInteger(1024 * 1024),
  messageSizeMetric: boolean(false),
  frames: boolean(false),
  closeReason: boolean(false),
  closeErrors: list<CloseCategory>(
    (value) => CLOSE_CATEGORIES.includes(value as CloseCategory),
    `close categories (${CLOSE_CATEGORIES.join(', ')})`,
    CLOSE_ERRORS,
  ),
  closeCodes: list<number>(
    (value) => Number.isInteger(value) && (value as number) >= 3000 && (value as number) <= 4999,
    'codes from 3000 to 4999',
    [],
    Number,
  ),
  heartbeatInterval: milliseconds(undefined),
  heartbeatTimeout: milliseconds(undefined),
  heartbeatTerminate: boolean(false),
  trustProxy,
  redactQuery: list<string>(isText, 'query names', []),
  allowQuery: list<string>(isText, 'query names', []),
  sessionId: boolean(false),
  shutdownTimeout: milliseconds(5000),
  around: hook<TelemetryOptions['around']>(),
  isError: hook<TelemetryOptions['isError']>(),
  onHandshake: hook<TelemetryOptions['onHandshake']>(),
  onMessage: hook<TelemetryOptions['onMessage']>(),
  onClose: hook<TelemetryOptions['onClose']>(),
  tracerProvider: provider<TracerProvider>('getTracer'),
  meterProvider: provider<MeterProvider>('getMeter'),
} satisfies { readonly [K in keyof Required<TelemetryOptions>]: Spec<unknown> }

/** The name of the member that carries the context unless option `carrierName` sets one. */
export const DEFAULT_CARRIER_NAME = AGREED_MEMBER
