import { type Link, ROOT_CONTEXT, SamplingDecision, SpanKind, TraceFlags } from '@opentelemetry/api'
import { tracing } from '@opentelemetry/sdk-node'
import { connectionSampler, type Sampler } from '@otel-ws/core'
import { describe, expect, it } from 'vitest'
import { environmentSampler } from '../src/sdk-sampler.ts'

const HANDSHAKE: Link = {
  context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED },
  attributes: { 'websocket.link.kind': 'handshake' },
}

describe('the sampler of the SDK that /register starts', () => {
  it.each([
    [undefined, undefined, 'ParentBased{root=AlwaysOnSampler'],
    ['', undefined, 'ParentBased{root=AlwaysOnSampler'],
    ['always_on', undefined, 'AlwaysOnSampler'],
    ['always_off', undefined, 'AlwaysOffSampler'],
    ['traceidratio', '0.25', 'TraceIdRatioBased{0.25}'],
    ['traceidratio', undefined, 'TraceIdRatioBased{1}'],
    ['traceidratio', '7', 'TraceIdRatioBased{1}'],
    ['parentbased_always_on', undefined, 'ParentBased{root=AlwaysOnSampler'],
    ['parentbased_always_off', undefined, 'ParentBased{root=AlwaysOffSampler'],
    ['parentbased_traceidratio', '0.5', 'ParentBased{root=TraceIdRatioBased{0.5}'],
  ])('is the one of OTEL_TRACES_SAMPLER=%s with %s, wrapped', (name, ratio, expected) => {
    const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }
    const sampler = connectionSampler(environmentSampler(tracing as never, env) as Sampler)
    expect(sampler.toString()).toContain(`ConnectionSampler{${expected}`)
    expect(
      sampler.shouldSample(ROOT_CONTEXT, 'f'.repeat(32), 'process', SpanKind.CONSUMER, {}, [HANDSHAKE]).decision,
    ).toBe(SamplingDecision.RECORD_AND_SAMPLED)
  })

  it.each([
    ['jaeger_remote', {}, "OTEL_TRACES_SAMPLER is 'jaeger_remote'"],
    ['parentbased_jaeger_remote', {}, "OTEL_TRACES_SAMPLER is 'parentbased_jaeger_remote'"],
    [undefined, { OTEL_CONFIG_FILE: 'sdk.yaml' }, 'OTEL_CONFIG_FILE configures the sampler'],
  ])("stays the SDK's with %s and %o", (name, more, reason) => {
    expect(environmentSampler(tracing as never, { OTEL_TRACES_SAMPLER: name, ...more })).toBe(reason)
  })

  it("stays the SDK's where that exports none", () => {
    expect(environmentSampler(undefined, {})).toMatch(/exports no samplers/)
  })
})
