import { type Context, SamplingDecision, trace } from '@opentelemetry/api'
import { AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectionSampler, type Sampler } from '../src/index.ts'
import type { TelemetryOptions } from '../src/options/types.ts'
import { mayLimitRate } from '../src/services/sampler-asks.ts'
import { createTelemetry } from '../src/telemetry.ts'

const driver = { text: () => '', bufferedAmount: () => 0 }

let scopes = 0
let sdk: Sdk

beforeEach(() => {
  sdk = new Sdk()
  sdk.install()
})

afterEach(async () => {
  await sdk.uninstall()
})

/** Samples everything, and counts the roots that it is asked for. */
class Counting implements Sampler {
  readonly #name: string
  roots = 0

  constructor(name: string) {
    this.#name = name
  }

  shouldSample(context: Context) {
    if (trace.getSpanContext(context) === undefined) this.roots++
    return { decision: SamplingDecision.RECORD_AND_SAMPLED }
  }

  toString(): string {
    return this.#name
  }
}

/** Asks of 50 messages that arrive, 50 that are sent and 50 that another trace contains. */
function asks(sampler: Counting, options: TelemetryOptions = {}): number {
  const all = { tracerProvider: new TracerProvider({ sampler }), maxSpansPerSecond: false as const, ...options }
  const telemetry = createTelemetry(all, { name: `asks ${++scopes}`, version: '1' }, driver)
  const connection = telemetry.handshake({ url: '/', headers: {} })?.accept({})
  const before = sampler.roots
  for (let n = 0; n < 50; n++) {
    connection?.startReceive({ data: 'x', binary: false, size: 1 })?.run(() => {})
    connection?.send({ data: `answer ${n}`, binary: false, size: 1 }, () => {})
    telemetry.services.sendBatch.flush()
  }
  telemetry.end()
  return sampler.roots - before
}

describe('messages that start a trace', () => {
  it('ask a sampler that is not known to limit no rate once a second, and say so once', () => {
    expect(asks(new Counting('FivePerSecond'))).toBe(1)
    expect(sdk.diagnostics.splice(0)).toEqual([expect.stringMatching(/'FivePerSecond'.*maxSamplerAsksPerSecond/)])
  })

  it('ask as often as the option says', () => {
    expect(asks(new Counting('FivePerSecond'), { maxSamplerAsksPerSecond: 7 })).toBe(7)
    expect(asks(new Counting('FivePerSecond'), { maxSamplerAsksPerSecond: Number.POSITIVE_INFINITY })).toBe(100)
    expect(asks(new Counting('AlwaysOnSampler'), { maxSamplerAsksPerSecond: 3 })).toBe(3)
    expect(sdk.diagnostics).toEqual([])
  })

  it('ask a sampler of the SDK always, and one that the application has wrapped unless its name speaks of a rate', () => {
    expect(asks(new Counting('AlwaysOnSampler'))).toBe(100)
    expect(asks(new Counting(String(connectionSampler(new Counting('Own')))))).toBe(100)
    expect(sdk.diagnostics).toEqual([])
    expect(asks(new Counting(String(connectionSampler(new Counting('RateLimitedSampler{5}')))))).toBe(1)
    expect(sdk.diagnostics.splice(0)).toHaveLength(1)
  })

  it('do not start traces for what runs in them', () => {
    const tracerProvider = new TracerProvider({ sampler: new Counting('FivePerSecond') })
    const telemetry = createTelemetry({ tracerProvider }, { name: `asks ${++scopes}`, version: '1' }, driver)
    const connection = telemetry.handshake({ url: '/', headers: {} })?.accept({})
    const flags = [1, 2].map(() =>
      connection
        ?.startReceive({ data: 'x', binary: false, size: 1 })
        ?.run(() => trace.getActiveSpan()?.spanContext().traceFlags),
    )
    telemetry.end()
    expect(flags).toEqual([1, 0])
    sdk.diagnostics.length = 0
  })

  it.each([
    ['AlwaysOffSampler', false],
    [String(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1e-7) })), false],
    [String(new ParentBasedSampler({ root: new AlwaysOnSampler() })), false],
    ['CompositeSampler(ComposableTraceIDRatioBasedSampler(threshold=c, ratio=0.25))', false],
    ['SentrySampler', false],
    ['ParentBased{root=ConnectionSampler{Own}}', false],
    ['KeepSampler{Own}', false],
    ['RateLimitedSampler{5}', true],
    ['AWSXRayRemoteSampler{root=ParentBased{}}', true],
    ['JaegerRemoteSampler(endpoint=http://jaeger)', true],
    ['ParentBased{root=RateLimitingSampler{2}}', true],
    ['KeepSampler{RateLimitedSampler{5}}', true],
    ['ParentBased{root=Own}', true],
    ['my sampler', true],
    ['[object Object]', true],
  ])('take %s for one that may limit a rate: %s', (name, expected) => {
    expect(mayLimitRate(name)).toBe(expected)
  })
})
