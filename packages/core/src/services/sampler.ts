import {
  type Attributes,
  type Context,
  type Link,
  SamplingDecision,
  type SpanKind,
  TraceFlags,
} from '@opentelemetry/api'
import { ATTR_WEBSOCKET_KEEP_REASON, ATTR_WEBSOCKET_LINK_KIND, ATTR_WEBSOCKET_SAMPLING_INHERITED } from '../schema.ts'

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

const SAMPLED = { decision: SamplingDecision.RECORD_AND_SAMPLED }
const SAMPLED_PROCESS = { ...SAMPLED, attributes: { [ATTR_WEBSOCKET_SAMPLING_INHERITED]: true } }
const NOT_SAMPLED = { decision: SamplingDecision.NOT_RECORD }

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
        if ((link.context.traceFlags & TraceFlags.SAMPLED) === 0) return NOT_SAMPLED
        return /^process( |$)/.test(spanName) ? SAMPLED_PROCESS : SAMPLED
      }
      return sampler.shouldSample(context, traceId, spanName, spanKind, attributes, links)
    },
    toString: () => `ConnectionSampler{${sampler.toString()}}`,
  }
}

/**
 * Wraps a sampler for option `keep`: what is kept of messages that were not sampled is sampled, all else is left to the
 * wrapped sampler. It must be the outermost, also around a parent-based one, which would not sample in an unsampled trace.
 *
 * ```ts
 * new TracerProvider({ sampler: keepSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) })) })
 * ```
 */
export function keepSampler(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, spanName, spanKind, attributes, links) {
      if (attributes[ATTR_WEBSOCKET_KEEP_REASON] !== undefined) return SAMPLED
      return sampler.shouldSample(context, traceId, spanName, spanKind, attributes, links)
    },
    toString: () => `KeepSampler{${sampler.toString()}}`,
  }
}
