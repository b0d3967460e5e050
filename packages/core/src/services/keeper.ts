import { type Context, type Span, type SpanOptions, TraceFlags, type Tracer } from '@opentelemetry/api'
import { endSpan, idsOf, startSpan } from '../api/span.ts'
import type { KeepOptions } from '../options/types.ts'
import { warn } from '../span/diagnostics.ts'
import { isOverBudget } from '../span/unsampled.ts'
import type { KeepReserve } from './keep-reserve.ts'

/** Why a message that was not sampled is recorded all the same. */
export type KeepReason = 'error' | 'close' | 'slow'

/** What is kept, and why. */
export interface KeepCause {
  readonly reason: KeepReason
  /** Type of its error, otherwise the reason. */
  readonly type: string
  /** Name of the message or operation. */
  readonly subject: string | undefined
}

/** What a message that was not sampled keeps until it settles, for its span if it gets one. */
export interface UnsampledMessage {
  readonly kind: NonNullable<SpanOptions['kind']>
  readonly binary: boolean
  readonly size: number
  readonly sequence: number
  /** Its code has closed the connection abnormally. */
  closes: boolean
}

/** Messages of a second that are recorded by option `keep`, unless it says otherwise. */
export const KEPT_PER_SECOND = 20

/** Name in `keep.slowerThan` of all names that it does not contain. */
const ANY_NAME = '*'

/**
 * Decides by option `keep` which messages that were not sampled are recorded, and starts their spans. Without the option, of
 * messages over a budget, for which the sampler was not asked, those that fail: it is asked for them when they have settled.
 */
export class Keeper {
  /** False if failed messages, and those that closed their connection abnormally, are not recorded. */
  readonly errors: boolean
  readonly reserve: KeepReserve
  /** True without option `keep`. */
  readonly isImplied: boolean
  readonly #slowerThan: number
  readonly #byName: ReadonlyMap<string, number> | undefined
  #tracer: Tracer | undefined
  #isWithout = false

  constructor(keep: KeepOptions | undefined, reserve: KeepReserve) {
    const { errors = true, slowerThan = Number.POSITIVE_INFINITY } = keep ?? {}
    this.isImplied = keep === undefined
    this.errors = errors
    this.reserve = reserve
    this.#byName = typeof slowerThan === 'number' ? undefined : new Map(Object.entries(slowerThan))
    this.#slowerThan = typeof slowerThan === 'number' ? slowerThan : (slowerThan[ANY_NAME] ?? Number.POSITIVE_INFINITY)
  }

  /** Has the spans start with this tracer. */
  use(tracer: Tracer | undefined): void {
    this.#tracer = tracer
  }

  /** True if a message with this span, which is not recorded, may be recorded when it settles. */
  mayKeep(span: Span | undefined): boolean {
    return span !== undefined && (!this.isImplied || isOverBudget(span))
  }

  /** Milliseconds above which a message of this name is slow. */
  threshold(name: string | undefined): number {
    if (this.#byName === undefined || name === undefined) return this.#slowerThan
    return this.#byName.get(name) ?? this.#slowerThan
  }

  /** Starts the span of a message that is kept; `undefined` if the SDK does not sample it, which option `keep` warns of. */
  start(name: string, options: SpanOptions, parent: Context): Span | undefined {
    if (this.#isWithout) return undefined
    const span = startSpan(this.#tracer, name, options, parent)
    const flags = idsOf(span)?.traceFlags ?? TraceFlags.NONE
    if ((flags & TraceFlags.SAMPLED) !== 0) return span
    endSpan(span)
    if (this.isImplied) return undefined
    this.#isWithout = true
    warn(
      'option keep records nothing: the sampler of the SDK leaves out what is kept. Wrap it, outermost: new TracerProvider({ sampler: keepSampler(yourSampler) }), or set option keepTracerProvider (reported once)',
    )
    return undefined
  }
}
