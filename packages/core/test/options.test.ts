import { metrics, ProxyTracerProvider } from '@opentelemetry/api'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { jsonOperations, OptionError, type TelemetryOptions } from '../src/index.ts'
import { unknownVariables } from '../src/options/environment.ts'
import { resolveOptions } from '../src/options/resolve.ts'

const NONE = {}
const hook = () => undefined
const tracerProvider = new ProxyTracerProvider()
const custom = jsonOperations({ id: '$.id', name: '$.type' })
const meterProvider = metrics.getMeterProvider()

const DEFAULTS = {
  enabled: true,
  traces: 'linked',
  spanKinds: 'paired',
  maxConnectionSpanAge: 600_000,
  maxConnectionSpanMessages: 1000,
  maxChildSpans: 1000,
  messages: true,
  outgoing: true,
  messageSampling: 'independent',
  maxSpansPerSecond: 1000,
  aggregate: undefined,
  keep: undefined,
  keepTracerProvider: undefined,
  maxSamplerAsksPerSecond: undefined,
  maxMessageSpansPerSecond: 1000,
  ignore: undefined,
  messageName: undefined,
  maxMessageNames: 200,
  maxMessageNameLength: 64,
  protocol: undefined,
  operationNames: undefined,
  streamItems: false,
  maxOperations: 1000,
  maxOperationAge: 600_000,
  route: undefined,
  remoteContext: undefined,
  propagation: 'negotiated',
  carrierName: '_otel',
  followPromises: 'async-functions',
  slowConsumerBytes: 1_048_576,
  messageSizeMetric: false,
  frames: false,
  closeReason: false,
  closeErrors: new Set(['protocol_error', 'too_big', 'server_error', 'timeout']),
  closeCodes: new Set(),
  heartbeatInterval: undefined,
  heartbeatTimeout: undefined,
  heartbeatTerminate: false,
  trustProxy: undefined,
  redactQuery: [],
  allowQuery: [],
  authorities: [],
  connectionAttributes: undefined,
  metricAttributes: [],
  idleTimeout: undefined,
  sessionId: false,
  shutdownTimeout: 5000,
  messageContext: undefined,
  around: undefined,
  isError: undefined,
  onHandshake: undefined,
  onMessage: undefined,
  onClose: undefined,
  tracerProvider: undefined,
  meterProvider: undefined,
}

interface Case {
  /** Values that are taken as they are. */
  readonly valid: readonly unknown[]
  readonly invalid: readonly unknown[]
  /** What the message tells to write instead. */
  readonly fix: RegExp
  /** Texts of the variable and what they stand for; none for options that have no variable. */
  readonly texts?: readonly (readonly [text: string, value: unknown])[]
  /** Texts that are refused. */
  readonly wrongTexts?: readonly string[]
  /** What is resolved from a value, where that is not the value itself. */
  readonly resolved?: (value: never) => unknown
}

const flag: Case = {
  valid: [true, false],
  invalid: ['true', 'yes', 1, 0, null, {}],
  fix: /must be true or false/,
  texts: [
    ['true', true],
    ['FALSE', false],
  ],
  wrongTexts: ['1', 'yes', ' true'],
}
const count: Case = {
  valid: [1, 64, Number.MAX_SAFE_INTEGER],
  invalid: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, true, [5]],
  fix: /must be a whole number of 1 or more/,
  texts: [
    ['7', 7],
    [' 7 ', 7],
  ],
  wrongTexts: ['x', '0', '1.5', '7x', ' ', 'Infinity'],
}
const duration: Case = {
  valid: [1, 0.5 + 1, 2_147_483_647],
  invalid: [0, -1, 0.5, 2_147_483_648, Number.NaN, Number.POSITIVE_INFINITY, '5', null],
  fix: /must be a number of milliseconds from 1 to 2147483647/,
  texts: [['250', 250]],
  wrongTexts: ['5s', '0', ' '],
}
const callback: Case = { valid: [hook], invalid: ['log', 1, {}, null, true], fix: /must be a function/ }
const choice = (...values: string[]): Case => ({
  valid: values,
  invalid: ['', 'x', values[0]?.toUpperCase(), 1, null, true],
  fix: new RegExp(`must be one of ${values.map((value) => `'${value}'`).join(', ')}`),
  texts: values.map((value) => [value, value] as const),
  wrongTexts: ['x'],
})

const CASES: Readonly<Record<keyof TelemetryOptions, Case>> = {
  enabled: flag,
  traces: choice('linked', 'connection'),
  spanKinds: choice('paired', 'messaging'),
  maxConnectionSpanAge: duration,
  maxConnectionSpanMessages: count,
  messages: flag,
  outgoing: flag,
  messageSampling: choice('independent', 'connection'),
  maxSpansPerSecond: {
    valid: [1, 0.1, Number.POSITIVE_INFINITY, false],
    invalid: [0, -1, Number.NaN, '5', null, true],
    fix: /must be a number above 0, Infinity, or false/,
    texts: [
      ['2.5', 2.5],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['false', false],
    ],
    wrongTexts: ['0', 'many', 'true'],
  },
  aggregate: {
    valid: [[], ['cursor']],
    invalid: ['cursor', [''], [1], [/x/], null],
    fix: /must be a list of message names/,
    resolved: (value) => ((value as string[]).length === 0 ? undefined : new Set(value as string[])),
    texts: [['a, b', new Set(['a', 'b'])]],
  },
  keep: {
    valid: [{}, { errors: false }, { slowerThan: 0.5 }, { slowerThan: { say: 10, '*': 250 } }, { maxPerSecond: 5 }],
    invalid: [true, null, [], 'errors', { slow: 1 }, { errors: 1 }, { slowerThan: 0 }, { slowerThan: { say: '1' } }],
    fix: /errors, slowerThan|use errors, slowerThan and maxPerSecond|\.errors must be|\.slowerThan must be/,
    texts: [
      ['errors', { errors: true }],
      ['errors, slowerThan=250', { errors: true, slowerThan: { '*': 250 } }],
      ['slowerThan.say = 100, maxPerSecond=5', { errors: false, slowerThan: { say: 100 }, maxPerSecond: 5 }],
    ],
    wrongTexts: ['all', 'slowerThan', 'slowerThan=x', 'maxPerSecond=0', 'errors=false'],
  },
  keepTracerProvider: {
    valid: [tracerProvider],
    invalid: [{}, null, 'x', hook],
    fix: /must have a method getTracer\(\)/,
  },
  maxSamplerAsksPerSecond: {
    valid: [1, 0.1, Number.POSITIVE_INFINITY],
    invalid: [0, -1, Number.NaN, '5', null, false],
    fix: /must be a number above 0, or Infinity/,
    texts: [
      ['2.5', 2.5],
      ['Infinity', Number.POSITIVE_INFINITY],
    ],
    wrongTexts: ['0', 'many'],
  },
  maxMessageSpansPerSecond: {
    valid: [1, 0.1, Number.POSITIVE_INFINITY],
    invalid: [0, -1, Number.NaN, '5', null],
    fix: /must be a number above 0, or Infinity/,
    texts: [
      ['2.5', 2.5],
      ['Infinity', Number.POSITIVE_INFINITY],
    ],
    wrongTexts: ['0', 'many'],
  },
  ignore: {
    valid: [hook, {}, { routes: ['/health', /^\/x/] }, { messages: [] }, { routes: [], messages: ['a'] }],
    invalid: [null, 'x', ['/health'], { route: [] }, { routes: '/x' }, { messages: [1] }, { routes: [''] }, true],
    fix: /must be \{ routes, messages \} or a function|has no member route: use routes and messages|must be a list of strings and RegExps|\.(routes|messages)\[\d\] must be a string or RegExp|use routes and messages/,
    resolved: (value: object) => (typeof value === 'function' ? value : { routes: [], messages: [], ...value }),
  },
  messageName: {
    valid: [hook],
    invalid: ['type', '', '$', '$.a.b', 1, null, ['$.type']],
    fix: /must be a path such as '\$\.type' or '\$\[2\]', or a function of the payload/,
    texts: [
      ['$.type', { key: 'type' }],
      ['$[2]', { key: 2 }],
    ],
    wrongTexts: ['type', '$.a.b'],
  },
  maxChildSpans: count,
  maxMessageNames: count,
  maxMessageNameLength: count,
  protocol: {
    valid: ['trpc', 'graphql-transport-ws', false, hook, custom],
    invalid: ['graphql', '', true, 1, null, {}, ['trpc']],
    fix: /must be one of 'graphql-transport-ws', .*, false, the result of jsonOperations\(\) or defineProtocol\(\), or a function/,
    texts: [
      ['trpc', 'trpc'],
      ['false', false],
    ],
    wrongTexts: ['graphql', 'json', 'json id=$.id', 'json id=$.id name=$.type colour=red', 'json id=x y'],
  },
  operationNames: {
    valid: [['GetUser'], /^Get/, hook],
    invalid: ['GetUser', [''], 1, null, true],
    fix: /must be a list of strings, a RegExp, or a function of the name/,
    texts: [['GetUser, ListOrders', ['GetUser', 'ListOrders']]],
  },
  streamItems: flag,
  maxOperations: count,
  maxOperationAge: duration,
  route: {
    valid: ['/chat/:room', hook],
    invalid: ['', 1, null, ['/x'], /x/],
    fix: /must be a string or a function of the request/,
    texts: [['/chat', '/chat']],
  },
  remoteContext: {
    ...choice('parent', 'link', 'ignore'),
    valid: ['parent', 'link', 'ignore', hook],
    fix: /must be one of 'parent', 'link', 'ignore', or a function of the request/,
  },
  propagation: choice('negotiated', 'always', 'off'),
  carrierName: {
    valid: ['_otel', 'trace_context', 'a.b-c', '$'],
    invalid: ['', 'a b', '1', '"', '__proto__', 'x'.repeat(65), 1, null, ['_otel']],
    fix: /must be a name of letters, digits, _, \$, \. and -/,
    texts: [['trace_context', 'trace_context']],
    wrongTexts: ['a b'],
  },
  followPromises: choice('async-functions', 'all'),
  slowConsumerBytes: count,
  messageSizeMetric: flag,
  frames: flag,
  closeReason: flag,
  closeErrors: {
    valid: [[], ['normal'], ['abnormal', 'policy']],
    invalid: ['abnormal', ['1006'], [1006], null, new Set(['normal'])],
    fix: /must be a list of close categories \(normal, going_away, .*other\)/,
    texts: [
      ['abnormal', new Set(['abnormal'])],
      [' abnormal , policy,', new Set(['abnormal', 'policy'])],
    ],
    wrongTexts: ['abnormal;policy', '1006'],
    resolved: (value: string[]) => new Set(value),
  },
  closeCodes: {
    valid: [[], [3000, 4999], [4401]],
    invalid: [4401, [2999], [5000], ['4401'], [4000.5], null],
    fix: /must be a list of codes from 3000 to 4999/,
    texts: [['4401, 4403', new Set([4401, 4403])]],
    wrongTexts: ['4401 4403', '1000', 'x'],
    resolved: (value: number[]) => new Set(value),
  },
  heartbeatInterval: duration,
  heartbeatTimeout: duration,
  heartbeatTerminate: flag,
  trustProxy: {
    valid: [true, false, 1, 3],
    invalid: [0, -1, 1.5, 'loopback', null, []],
    fix: /must be true, false, or a number of proxies of 1 or more/,
    texts: [
      ['TRUE', true],
      ['false', false],
      ['2', 2],
    ],
    wrongTexts: ['0', 'all'],
  },
  redactQuery: {
    valid: [[], ['ticketNo', 'pin']],
    invalid: ['pin', [''], [1], [/x/], null],
    fix: /must be a list of query names/,
    texts: [['a, b', ['a', 'b']]],
  },
  allowQuery: {
    valid: [[], ['country_code']],
    invalid: ['code', [''], [1], [/x/], null],
    fix: /must be a list of query names/,
    texts: [['a, b', ['a', 'b']]],
  },
  authorities: {
    valid: [[], ['chat.example.com', 'localhost:8080', '[::1]:3000']],
    invalid: ['chat.example.com', [''], ['ws://chat.example.com'], ['chat.example.com/path'], [1], null],
    fix: /must be a list of hosts with their port/,
    texts: [['a.example, b.example:81', ['a.example', 'b.example:81']]],
  },
  connectionAttributes: callback,
  metricAttributes: {
    valid: [[], ['app.plan']],
    invalid: ['app.plan', [''], [1], [/x/], null],
    fix: /must be a list of attribute names/,
    texts: [['a, b', ['a', 'b']]],
  },
  idleTimeout: duration,
  sessionId: flag,
  shutdownTimeout: duration,
  messageContext: callback,
  around: callback,
  isError: callback,
  onHandshake: callback,
  onMessage: callback,
  onClose: callback,
  tracerProvider: {
    valid: [tracerProvider],
    invalid: [{}, null, 'x', hook, meterProvider],
    fix: /must have a method getTracer\(\)/,
  },
  meterProvider: {
    valid: [meterProvider],
    invalid: [{}, null, 'x', hook, tracerProvider],
    fix: /must have a method getMeter\(\)/,
  },
}

const NAMES = Object.keys(CASES) as (keyof TelemetryOptions)[]

/** What an option needs beside it. */
function companions(name: string): TelemetryOptions {
  if (name === 'carrierName') return { propagation: 'always' }
  if (name === 'keepTracerProvider') return { keep: {} }
  if (name === 'metricAttributes') return { connectionAttributes: () => ({}) }
  return name === 'heartbeatTerminate' ? { heartbeatInterval: 1000 } : {}
}

function variable(name: string): string {
  return `OTEL_WS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function refusal(options: unknown, env: Record<string, string> = NONE): OptionError {
  try {
    resolveOptions(options as TelemetryOptions, env)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toBeInstanceOf(TypeError)
    return error as OptionError
  }
  throw new Error(`taken: ${JSON.stringify(options)} ${JSON.stringify(env)}`)
}

describe('resolveOptions', () => {
  it('fills in every default', () => {
    expect(resolveOptions({}, NONE)).toEqual(DEFAULTS)
    expect(resolveOptions(undefined, NONE)).toEqual(DEFAULTS)
    const allUndefined = Object.fromEntries(NAMES.map((name) => [name, undefined]))
    expect(resolveOptions(allUndefined, NONE)).toEqual(DEFAULTS)
    expect(NAMES.sort()).toEqual(Object.keys(DEFAULTS).sort())
  })

  it.each(NAMES)('takes what %s may be', (name) => {
    const { valid, resolved = (value: unknown) => value } = CASES[name]
    for (const value of valid) {
      const options = resolveOptions({ [name]: value, ...companions(name) }, NONE)
      expect(options[name]).toEqual((resolved as (value: unknown) => unknown)(value))
    }
  })

  it.each(NAMES)('refuses what %s must not be, and says what to write instead', (name) => {
    const { invalid, fix } = CASES[name]
    for (const value of invalid) {
      const error = refusal({ [name]: value, ...companions(name) })
      expect(error).toMatchObject({ name: 'OptionError', code: 'OTEL_WS_INVALID_OPTION', option: name })
      expect(error.message).toMatch(/^otel-ws: option /)
      expect(error.message).toContain(name)
      expect(error.message).toMatch(fix)
    }
  })

  it.each(NAMES.filter((name) => CASES[name].texts !== undefined))('reads %s from its variable', (name) => {
    const { texts = [], wrongTexts = [] } = CASES[name]
    for (const [text, value] of texts) {
      expect(resolveOptions(companions(name), { [variable(name)]: text })[name]).toEqual(value)
    }
    for (const text of wrongTexts) {
      const { message } = refusal(companions(name), { [variable(name)]: text })
      expect(message).toContain(variable(name))
      expect(message).toContain(name)
    }
    expect(resolveOptions({}, { [variable(name)]: '' })).toEqual(DEFAULTS)
  })

  it.each(NAMES.filter((name) => CASES[name].texts === undefined))('has no variable of its own for %s', (name) => {
    expect(resolveOptions({}, { [variable(name)]: 'x' })).toEqual(DEFAULTS)
  })

  it('reads what to ignore from two variables', () => {
    const env = { OTEL_WS_IGNORE_ROUTES: ' /health ,/live,', OTEL_WS_IGNORE_MESSAGES: 'ping' }
    expect(resolveOptions({}, env).ignore).toEqual({ routes: ['/health', '/live'], messages: ['ping'] })
    expect(resolveOptions({ ignore: { routes: ['/own'] } }, env).ignore).toMatchObject({ routes: ['/own'] })
    expect(resolveOptions({}, { OTEL_WS_IGNORE_ROUTES: ' , ' }).ignore).toBeUndefined()
  })

  it('prefers what is written in code to the variable, wrong or not', () => {
    expect(resolveOptions({ messages: true }, { OTEL_WS_MESSAGES: 'false' }).messages).toBe(true)
    expect(resolveOptions({ messages: true }, { OTEL_WS_MESSAGES: 'nonsense' }).messages).toBe(true)
  })

  it('reads the variables of the process', () => {
    process.env['OTEL_WS_MAX_MESSAGE_NAMES'] = '7'
    expect(resolveOptions({}).maxMessageNames).toBe(7)
  })

  afterEach(() => {
    delete process.env['OTEL_WS_MAX_MESSAGE_NAMES']
  })

  it('reads a path once', () => {
    expect(resolveOptions({ messageName: '$["a b"]' }, NONE).messageName).toEqual({ key: 'a b' })
  })

  it('refuses heartbeatTerminate without a heartbeat', () => {
    expect(refusal({ heartbeatTerminate: true }).message).toMatch(/heartbeatTerminate needs heartbeatInterval/)
    expect(refusal({}, { OTEL_WS_HEARTBEAT_TERMINATE: 'true' }).message).toMatch(/heartbeatTerminate needs/)
    expect(resolveOptions({ heartbeatTerminate: false }, NONE).heartbeatTerminate).toBe(false)
  })

  it('tells variables that set nothing', () => {
    const env = { OTEL_WS_TRACE: 'x', OTEL_WS_IGNORE_ROUTES: '/a', OTEL_WS_TRACES: 'linked', OTEL_WS_SDK: 'false' }
    expect(unknownVariables(env, ['OTEL_WS_SDK'])).toEqual([
      'otel-ws: variable OTEL_WS_TRACE sets nothing: did you mean OTEL_WS_TRACES or OTEL_WS_FRAMES?',
    ])
    expect(unknownVariables(env, [])).toHaveLength(2)
    expect(unknownVariables({ OTEL_WS_ON_MESSAGE: 'x' }, [])).toHaveLength(1)
    expect(unknownVariables({ OTEL_TRACE: 'x', PATH: '/bin' }, [])).toEqual([])
  })

  it('refuses metricAttributes without their values', () => {
    expect(refusal({ metricAttributes: ['a'] }).message).toMatch(/metricAttributes needs connectionAttributes/)
    expect(refusal({}, { OTEL_WS_METRIC_ATTRIBUTES: 'a' }).message).toMatch(/metricAttributes needs/)
  })

  it('refuses carrierName for peers that negotiate', () => {
    expect(refusal({ carrierName: 'x' }).message).toMatch(/carrierName needs propagation: 'always'/)
    expect(refusal({ propagation: 'off' }, { OTEL_WS_CARRIER_NAME: 'x' }).message).toMatch(/carrierName needs/)
  })

  it.each([
    ['outgoign', /did you mean outgoing\?/],
    ['Traces', /did you mean traces/],
    ['heartbeat', /did you mean heartbeatInterval or heartbeatTimeout or heartbeatTerminate\?/],
    ['messagename', /did you mean .*messageName/],
    ['completelyDifferent', /the options are enabled, traces, /],
    ['__proto__x', /does not exist/],
    ['constructor', /does not exist/],
    ['toString', /does not exist/],
  ])('refuses an option %s that does not exist, and suggests those that do', (name, fix) => {
    const error = refusal({ [name]: true })
    expect(error.option).toBe(name)
    expect(error.message).toMatch(fix)
  })

  it.each([[null], [[]], ['x'], [1], [true]])('refuses %j for options', (options) => {
    expect(refusal(options).message).toMatch(/must be an object/)
  })

  it('does not show what may be a secret, nor much of anything', () => {
    expect(refusal({ traces: { password: 'hunter2' } }).message).not.toContain('hunter2')
    expect(refusal({ traces: ['hunter2'] }).message).not.toContain('hunter2')
    expect(refusal({ traces: 'x'.repeat(10_000) }).message.length).toBeLessThan(300)
  })

  it('is frozen, and of its own', () => {
    const redactQuery = ['a']
    const closeCodes = [4001]
    const routes: (string | RegExp)[] = ['/a']
    const ignore = { routes, messages: ['a'] }
    const given = Object.freeze({ redactQuery, closeCodes, ignore, route: '/r' })
    const resolved = resolveOptions(given, NONE)
    expect(Object.isFrozen(resolved)).toBe(true)
    redactQuery.push('b')
    closeCodes.push(4002)
    routes.push('/b')
    ignore.messages = 'x' as never
    expect(resolved).toMatchObject({ redactQuery: ['a'], route: '/r', ignore: { routes: ['/a'], messages: ['a'] } })
    expect(resolved.closeCodes).toEqual(new Set([4001]))
  })

  it('leaves what it was given as it was', () => {
    const options = {
      messageName: '$.type',
      closeErrors: ['normal'] as const,
      closeCodes: [4001],
      ignore: { routes: [] },
    }
    const before = structuredClone(options)
    resolveOptions(options, NONE)
    expect(options).toEqual(before)
  })

  it('gives no two set-ups the same list', () => {
    expect(resolveOptions({}, NONE).closeErrors).not.toBe(resolveOptions({}, NONE).closeErrors)
  })

  it('takes or refuses anything, and throws nothing but its own error', () => {
    const anything = fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), fc.anything(), { maxKeys: 4 })
    fc.assert(
      fc.property(anything, fc.dictionary(fc.constantFrom(...NAMES.map(variable)), fc.string()), (options, env) => {
        try {
          expect(Object.isFrozen(resolveOptions(options as TelemetryOptions, env))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(OptionError)
          expect((error as OptionError).message.length).toBeLessThan(1000)
        }
      }),
      { numRuns: 500 },
    )
  })
})
