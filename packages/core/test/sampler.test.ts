import { type Attributes, type Link, ROOT_CONTEXT, SamplingDecision, SpanKind, TraceFlags } from '@opentelemetry/api'
import { AlwaysOffSampler, AlwaysOnSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { connectionSampler, type Sampler } from '../src/index.ts'

const TRACE_ID = 'a'.repeat(32)

function link(kind: string | undefined, traceFlags: number): Link {
  const attributes: Attributes = kind === undefined ? {} : { 'websocket.link.kind': kind }
  return { context: { traceId: TRACE_ID, spanId: 'b'.repeat(16), traceFlags }, attributes }
}

function decide(sampler: Sampler, links: Link[]): SamplingDecision {
  return connectionSampler(sampler).shouldSample(ROOT_CONTEXT, TRACE_ID, 'process', SpanKind.CONSUMER, {}, links)
    .decision
}

const on = new AlwaysOnSampler()
const off = new AlwaysOffSampler()

describe('connectionSampler', () => {
  it('samples what is linked to a sampled handshake, and nothing else of a connection', () => {
    expect(decide(off, [link('handshake', TraceFlags.SAMPLED)])).toBe(SamplingDecision.RECORD_AND_SAMPLED)
    expect(decide(on, [link('handshake', TraceFlags.NONE)])).toBe(SamplingDecision.NOT_RECORD)
  })

  it('marks process spans with what they inherit, and no others', () => {
    const sampled = [link('handshake', TraceFlags.SAMPLED)]
    const attributesOf = (name: string, links: Link[]) =>
      connectionSampler(on).shouldSample(ROOT_CONTEXT, TRACE_ID, name, SpanKind.INTERNAL, {}, links).attributes
    const mark = { 'websocket.sampling.inherited': true }
    expect(['process', 'process say'].map((name) => attributesOf(name, sampled))).toEqual([mark, mark])
    expect(['send say', 'close', 'processed'].map((name) => attributesOf(name, sampled))).toEqual(
      Array(3).fill(undefined),
    )
    expect(attributesOf('process say', [])).toBeUndefined()
    expect(attributesOf('process say', [link('handshake', TraceFlags.NONE)])).toBeUndefined()
  })

  it('reads the sampled bit and no other', () => {
    expect(decide(off, [link('handshake', 0x03)])).toBe(SamplingDecision.RECORD_AND_SAMPLED)
    expect(decide(on, [link('handshake', 0x02)])).toBe(SamplingDecision.NOT_RECORD)
  })

  it('finds the handshake among several links', () => {
    const links = [
      link('message', TraceFlags.SAMPLED),
      link('segment', TraceFlags.SAMPLED),
      link('handshake', TraceFlags.NONE),
    ]
    expect(decide(on, links)).toBe(SamplingDecision.NOT_RECORD)
  })

  it('leaves all else to the wrapped sampler, with the same arguments', () => {
    expect(decide(on, [])).toBe(SamplingDecision.RECORD_AND_SAMPLED)
    expect(decide(off, [])).toBe(SamplingDecision.NOT_RECORD)
    const asked: unknown[] = []
    const result = { decision: SamplingDecision.RECORD, attributes: { a: 1 } }
    const sampler: Sampler = {
      shouldSample(...args) {
        asked.push(...args)
        return result
      },
      toString: () => 'Own',
    }
    const attributes = { x: 'y' }
    const links = [link('message', TraceFlags.SAMPLED), link(undefined, TraceFlags.SAMPLED)]
    const wrapped = connectionSampler(sampler)
    expect(wrapped.shouldSample(ROOT_CONTEXT, TRACE_ID, 'GET', SpanKind.SERVER, attributes, links)).toBe(result)
    expect(asked).toEqual([ROOT_CONTEXT, TRACE_ID, 'GET', SpanKind.SERVER, attributes, links])
    expect(asked[4]).toBe(attributes)
    expect(wrapped.toString()).toBe('ConnectionSampler{Own}')
  })
})
