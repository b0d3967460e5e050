import { type GraphSpan, unpairedSpans } from '@otel-ws/testkit'
import { expect } from 'vitest'
import type { OtlpSpan } from './span-receiver.ts'

/**
 * Expects that service graphs, of both generations, find a partner for each edge that these spans open, except for
 * handshakes and for names that fit: operations of peers without telemetry.
 */
export function expectPairedKinds(spans: readonly OtlpSpan[], operations = /^$/): void {
  expect(spans).not.toEqual([])
  const graph = spans.map(({ name, kind, traceId, spanId, parentSpanId, links = [] }): GraphSpan => {
    return {
      name,
      kind: kind - 1,
      context: { traceId, spanId },
      parentSpanId: parentSpanId || undefined,
      links: links.map((link) => ({ context: { ...link, traceFlags: 0 } })),
    }
  })
  for (const byLinks of [false, true]) {
    const names = unpairedSpans(graph, byLinks).filter(
      (name) => !/^(GET|CONNECT|connect)\b/.test(name) && !operations.test(name),
    )
    // What is on its way to a client that vanishes has no receiver.
    expect(names.length > spans.length / 50 ? names : []).toEqual([])
  }
}
