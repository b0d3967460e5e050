import { type LogRecord, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { parseSearch, type Search, type Term } from '../search/parse.ts'
import { logHas, spanHas } from '../search/records.ts'
import { routeOf } from '../store/place.ts'
import type { Trace } from '../store/traces.ts'
import { always, isAlways, overlaps, type TimeRange } from './time-range.ts'

/** What a trace must have to be listed; empty fields ask for nothing. */
export interface TraceFilter {
  /** What is searched, in the language of `parseSearch`. */
  readonly text: string
  readonly service: string
  readonly route: string
  readonly connection: string
  readonly errors: boolean
  /** Milliseconds. */
  readonly minDuration: number
  /** Default: always. */
  readonly range?: TimeRange
}

export type LogsOf = (traceId: string) => readonly LogRecord[]
const noLogs: LogsOf = () => []

/**
 * The test of a filter. What it found out about a trace is remembered until the trace changes, so that a search that is
 * repeated with every update looks at what is new.
 */
export class TraceTest {
  readonly problems: Search['problems']
  readonly #filter: TraceFilter
  /** Moves on with time where it ends now. */
  range: TimeRange
  readonly #terms: readonly Term[]
  readonly #spanTests: readonly ((span: Span) => boolean)[]
  readonly #logsOf: LogsOf
  readonly #known = new WeakMap<Trace, { readonly version: number; readonly logs: number; readonly passes: boolean }>()

  constructor(filter: TraceFilter, logsOf: LogsOf = noLogs) {
    const { terms, problems } = parseSearch(filter.text)
    this.problems = problems
    this.#filter = filter
    this.range = filter.range ?? always
    this.#terms = terms
    this.#logsOf = logsOf
    this.#spanTests = [
      ...(filter.service === '' ? [] : [(span: Span) => span.resource.service === filter.service]),
      ...(filter.route === '' ? [] : [(span: Span) => routeOf(span) === filter.route]),
      ...(filter.connection === ''
        ? []
        : [(span: Span) => textAttribute(span.attributes, names.CONNECTION_ID) === filter.connection]),
    ]
  }

  /** Whether it lets every trace pass. */
  get open(): boolean {
    const { errors, minDuration } = this.#filter
    const asksNothing = this.#terms.length === 0 && this.#spanTests.length === 0 && !errors && minDuration <= 0
    return asksNothing && isAlways(this.range)
  }

  /** Whether it is known of a trace, as it is now, if it passes: the answer costs nothing then. */
  knows(trace: Trace): boolean {
    if (this.#spanTests.length === 0 && this.#terms.length === 0) return true
    return this.#known.get(trace)?.version === trace.version
  }

  passes(trace: Trace): boolean {
    const { errors, minDuration } = this.#filter
    if (errors && trace.errors === 0) return false
    if (minDuration > 0 && trace.end - trace.start < minDuration) return false
    if (!overlaps(this.range, trace.start, trace.end)) return false
    if (this.#spanTests.length === 0 && this.#terms.length === 0) return true
    const logs = this.#logsOf(trace.id)
    const known = this.#known.get(trace)
    if (known?.version === trace.version && known.logs === logs.length) return known.passes
    const passes = this.#looked(trace, logs)
    this.#known.set(trace, { version: trace.version, logs: logs.length, passes })
    return passes
  }

  #looked(trace: Trace, logs: readonly LogRecord[]): boolean {
    if (!this.#spanTests.every((test) => some(trace, test))) return false
    return this.#terms.every((term) => {
      const has = some(trace, (span) => spanHas(span, term)) || logs.some((log) => logHas(log, term))
      return has !== term.negated
    })
  }
}

function some(trace: Trace, test: (span: Span) => boolean): boolean {
  for (const span of trace.spans.values()) if (test(span)) return true
  return false
}
