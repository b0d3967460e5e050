import type { Tracer } from '@opentelemetry/api'
import { logWarning } from '../api/log.ts'
import { sharedBy } from './shared.ts'
import { SpanBudget } from './span-budget.ts'

/** Times per second that messages may ask a sampler that limits a rate, unless option `maxSamplerAsksPerSecond` says otherwise. */
const ASKS_PER_SECOND = 1

/** Samplers that limit how many traces start in a second: Azure Monitor's, AWS X-Ray's, Jaeger's. */
const LIMITS_RATE = /RateLimit(?:ed|ing)|X-?Ray|JaegerRemote/i

/** Samplers whose decision does not depend on how often they are asked: those of the SDK, of OpenTelemetry's contributions, of Sentry. */
const LIMITS_NONE = /^(?:Always(?:On|Off|Record)|TraceI[dD]Ratio|ParentBased|Composite|Composable|Sentry)/

/** Samplers of this package, which the application has wrapped its own in. */
const WRAPPERS = /(?:Connection|Keep)Sampler\{/

/** What the samplers of a tracer are known as; `undefined` if it does not show its sampler. */
function samplerName(tracer: Tracer): string | undefined {
  try {
    const { _sampler: sampler } = tracer as { readonly _sampler?: unknown }
    return sampler === undefined || sampler === null ? undefined : String(sampler)
  } catch {
    return undefined
  }
}

/**
 * True if a sampler may limit a rate, so that messages would take it from other traces. One that the application has wrapped
 * does if its name says so; of others, only those that are known not to do it do not.
 */
export function mayLimitRate(name: string): boolean {
  if (LIMITS_RATE.test(name)) return true
  if (WRAPPERS.test(name)) return false
  const words = name.match(/\b[A-Z]\w*/g)
  return words === null || !words.every((word) => LIMITS_NONE.test(word))
}

/** The bound, if there is one. */
interface Asks {
  readonly budget: SpanBudget | undefined
}

/**
 * Bounds how often messages that start a trace ask the sampler of a provider; `undefined` if they may ask always. All servers
 * of the process share the bound of the first.
 *
 * @param perSecond option `maxSamplerAsksPerSecond`; `undefined` bounds samplers that may limit a rate
 */
export function samplerAsks(provider: object, tracer: Tracer, perSecond: number | undefined): SpanBudget | undefined {
  if (perSecond === Number.POSITIVE_INFINITY) return undefined
  return sharedBy<Asks>(provider, 'asks', () => ({ budget: asksOf(tracer, perSecond) })).budget
}

function asksOf(tracer: Tracer, perSecond: number | undefined): SpanBudget | undefined {
  const now = performance.now()
  if (perSecond !== undefined) return new SpanBudget(perSecond, now)
  const name = samplerName(tracer)
  if (name === undefined || !mayLimitRate(name)) return undefined
  logWarning(
    `the sampler '${name.slice(0, 100)}' may limit how many traces start in a second: messages ask it ${ASKS_PER_SECOND} time a second, so that other traces keep their share. If it limits none, set option maxSamplerAsksPerSecond to Infinity, or wrap it in connectionSampler() (reported once)`,
  )
  return new SpanBudget(ASKS_PER_SECOND, now)
}
