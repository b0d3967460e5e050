import {
  type Attributes,
  type Context,
  type Link,
  SamplingDecision,
  type SpanKind,
  TraceFlags,
} from '@opentelemetry/api'
import { ATTR_WEBSOCKET_LINK_KIND } from '../schema.ts'

/** The sampler interface of the OpenTelemetry SDK, of which core uses nothing else. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): {
    decision: SamplingDecision
    attributes?: Readonly<Attributes>
    traceState?: import('@opentelemetry/api').TraceState
  }
  toString(): string
}

/**
 * Wraps a sampler for `messageSampling: 'connection'`: a span that is linked to a handshake is sampled exactly when the
 * handshake was; all others are left to the wrapped sampler.
 *
 * ```ts
 * new TracerProvider({ sampler: connectionSampler(new TraceIdRatioBasedSampler(0.1)) })
 * ```
 */
export function connectionSampler(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, spanName, spanKind, attributes, links) {
      for (const link of links) {
        if (link.attributes?.[ATTR_WEBSOCKET_LINK_KIND] !== 'handshake') continue
        const sampled = (link.context.traceFlags & TraceFlags.SAMPLED) !== 0
        return { decision: sampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD }
      }
      return sampler.shouldSample(context, traceId, spanName, spanKind, attributes, links)
    },
    toString: () => `ConnectionSampler{${sampler.toString()}}`,
  }
}
