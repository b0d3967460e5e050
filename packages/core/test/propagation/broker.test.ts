import { type Context, context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { Telemetry } from '@otel-ws/testkit'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { extractContext, injectContext } from '../../src/index.ts'

const spanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const inTrace = trace.setSpanContext(ROOT_CONTEXT, spanContext)
const withTenant = propagation.setBaggage(inTrace, propagation.createBaggage({ tenant: { value: 'blue' } }))

const spanIdIn = (found: Context) => trace.getSpanContext(found)?.spanId

let telemetry: Telemetry
beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})
afterEach(() => telemetry.uninstall())

describe('injectContext and extractContext', () => {
  it.each([
    ['a JSON text', '{"a":1}', `{"_otel":{"traceparent":"${traceparent}"},"a":1}`],
    ['a Buffer', Buffer.from('{"a":1}'), Buffer.from(`{"_otel":{"traceparent":"${traceparent}"},"a":1}`)],
    [
      'a Uint8Array',
      new Uint8Array(Buffer.from('{}')),
      new Uint8Array(Buffer.from(`{"_otel":{"traceparent":"${traceparent}"}}`)),
    ],
    ['an object', { a: 1 }, { _otel: { traceparent }, a: 1 }],
    ['an empty object', {}, { _otel: { traceparent } }],
  ])('carry the active context in %s', (_, payload, wire) => {
    const injected = context.with(inTrace, () => injectContext(payload))
    expect(injected).toEqual(wire)
    expect(Object.getPrototypeOf(injected)).toBe(Object.getPrototypeOf(payload))
    const extracted = extractContext(injected)
    expect(extracted.payload).toEqual(payload)
    expect(Object.getPrototypeOf(extracted.payload)).toBe(Object.getPrototypeOf(payload))
    expect(trace.getSpanContext(extracted.context)).toEqual({ ...spanContext, isRemote: true })
  })

  it.each([
    ['another text', 'hello'],
    ['an array in a text', '[{"a":1}]'],
    ['other bytes', Buffer.from([1, 2, 3])],
    ['a list', [1]],
    ['a number', 1],
    ['nothing', undefined],
    ['null', null],
    ['an instance', new Date(0)],
    ['a map', new Map([['a', 1]])],
    ['an object with a member of that name', { _otel: 'mine', a: 1 }],
    ['an object with an object of that name', { _otel: { mine: true }, a: 1 }],
    ['an object with more in it than a carrier', { _otel: { traceparent, more: 1 }, a: 1 }],
  ])('hand on %s as it is', (_, payload) => {
    const injected = injectContext(payload, { context: inTrace })
    expect(injected).toBe(payload)
    const extracted = extractContext(payload)
    expect(extracted.payload).toBe(payload)
    expect(extracted.context).toBe(context.active())
  })

  it('leave the payload that they are given alone', () => {
    const object = Object.freeze({ a: Object.freeze({ b: 1 }) })
    const injected = injectContext(object, { context: inTrace })
    expect(injected.a).toBe(object.a)
    expect(extractContext(Object.freeze(injected)).payload.a).toBe(object.a)
    const bytes = injectContext(Buffer.from('{"a":1}'), { context: inTrace })
    const before = Buffer.from(bytes)
    expect(extractContext(bytes).payload.toString()).toBe('{"a":1}')
    expect(bytes).toEqual(before)
  })

  it('understand each other across JSON, text to object and back', () => {
    const parsed = JSON.parse(injectContext('{"a":1}', { context: inTrace }))
    expect(extractContext(parsed).payload).toEqual({ a: 1 })
    expect(spanIdIn(extractContext(parsed).context)).toBe(spanContext.spanId)
    const text = JSON.stringify(injectContext({ a: 1 }, { context: inTrace }))
    expect(extractContext(text).payload).toBe('{"a":1}')
    expect(spanIdIn(extractContext(text).context)).toBe(spanContext.spanId)
  })

  it('carry baggage', () => {
    const wire = injectContext('{}', { context: withTenant })
    expect(wire).toBe(`{"_otel":{"traceparent":"${traceparent}","baggage":"tenant=blue"}}`)
    const extracted = extractContext(wire)
    expect(propagation.getBaggage(extracted.context)?.getEntry('tenant')?.value).toBe('blue')
    propagation.disable()
    expect(injectContext('{}', { context: withTenant })).toBe(`{"_otel":{"traceparent":"${traceparent}"}}`)
    expect(propagation.getBaggage(extractContext(wire).context)).toBeUndefined()
  })

  it('put what came on top of the context that is asked for', () => {
    const key = Symbol('key')
    const base = ROOT_CONTEXT.setValue(key, 'kept')
    const wire = injectContext('{}', { context: inTrace })
    const extracted = extractContext(wire, { context: base })
    expect(extracted.context.getValue(key)).toBe('kept')
    expect(spanIdIn(extracted.context)).toBe(spanContext.spanId)
    expect(extractContext('{}', { context: base }).context).toBe(base)
  })

  it('use another name on request, and refuse one that is none', () => {
    const options = { context: inTrace, carrierName: 'trace_context' }
    const wire = injectContext({ a: 1 }, options)
    expect(wire).toEqual({ trace_context: { traceparent }, a: 1 })
    expect(extractContext(wire).payload).toBe(wire)
    expect(extractContext(wire, options).payload).toEqual({ a: 1 })
    for (const carrierName of ['', '__proto__', 'a"b']) {
      expect(() => injectContext({}, { carrierName })).toThrow(TypeError)
      expect(() => extractContext({}, { carrierName })).toThrow(TypeError)
    }
  })

  it('replace the carrier of an object that has one already', () => {
    const wire = injectContext({ _otel: { traceparent: 'old' }, a: 1 }, { context: inTrace })
    expect(wire).toEqual({ _otel: { traceparent }, a: 1 })
  })

  it('leave a context that says nothing valid out', () => {
    const extracted = extractContext({ _otel: { traceparent: 'nonsense' }, a: 1 })
    expect(extracted.payload).toEqual({ a: 1 })
    expect(extracted.context).toBe(context.active())
  })

  it('take a carrier of an object to the limit only', () => {
    const wire = { _otel: { baggage: 'x'.repeat(2000) } }
    expect(extractContext(wire).payload).toBe(wire)
  })

  it('are undone by each other, for any payload and with any context', () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.string().map((rest) => `{"_otel":{${rest}`),
    )
    const payload = fc.oneof(
      text,
      text.map((own) => Buffer.from(own)),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(payload, fc.constantFrom(ROOT_CONTEXT, inTrace, withTenant), (before, active) => {
        const injected = injectContext(before, { context: active })
        expect(extractContext(injected).payload).toEqual(before)
      }),
      { numRuns: 500 },
    )
  })

  it('make no property of what a name says', () => {
    const hostile = JSON.parse(`{"_otel":{"__proto__":{"polluted":1}},"__proto__":{"polluted":1}}`)
    expect(extractContext(hostile).payload).toBe(hostile)
    const injected = injectContext(JSON.parse('{"__proto__":{"polluted":1}}'), { context: inTrace })
    expect(Object.hasOwn(injected, '__proto__')).toBe(true)
    expect(injected.polluted).toBeUndefined()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
