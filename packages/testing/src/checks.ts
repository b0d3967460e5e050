import { type Attributes, type Link, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { MetricRow } from './metric-rows.ts'
import type { TestTelemetry } from './telemetry.ts'

/** What identifies a span: a span, or its context. */
export type SpanReference = SpanContext | { spanContext(): SpanContext }

/** What a span must be besides its name. What is left out may be anything. */
export interface ExpectedSpan {
  /** Attributes that it must have, with these values. It may have others. */
  readonly attributes?: Attributes
  readonly kind?: SpanKind
  /** The value of `error.type`; `true` for any error, `false` for none. */
  readonly error?: string | boolean
  /** The span that it must be a child of; `null` for one that starts a trace. */
  readonly parent?: SpanReference | null
  /** A span that it must have a link to. */
  readonly link?: SpanReference
}

/** Outcome of a check. */
export interface CheckResult {
  readonly pass: boolean
  /** Why it failed; if it passed, why its negation fails. */
  readonly message: () => string
}

/** Checks that a finished span has this name and is as expected. */
export function checkSpan(telemetry: TestTelemetry, name: string, expected: ExpectedSpan = {}): CheckResult {
  const spans = telemetry.spans(name)
  const problems = spans.map((span) => problemsOf(span, expected))
  const pass = problems.some((each) => each.length === 0)
  return {
    pass,
    message() {
      if (pass)
        return `expected no span '${name}'${Object.keys(expected).length > 0 ? ' like that' : ''}, but there is one`
      if (spans.length > 0) {
        return [`expected a span '${name}' like that, but of those that have ended:`, ...problems.map(listed)].join(
          '\n',
        )
      }
      const open = telemetry.openSpans()
      const hint = open.includes(name) ? ' It has started and not ended: wait for it with waitForSpan().' : ''
      return `expected a span '${name}'; ended: ${inspect(telemetry.names())}; open: ${inspect(open)}.${hint}`
    },
  }
}

/** Checks that a span is a child of another one. */
export function checkChildOf(span: ReadableSpan, parent: SpanReference): CheckResult {
  const problem = parentProblem(span, parent)
  return {
    pass: problem === undefined,
    message: () => problem ?? `expected span '${span.name}' to be no child of ${nameOf(parent)}, but it is`,
  }
}

/** Checks that a span is in the same trace as another one. */
export function checkSameTrace(span: ReadableSpan, other: SpanReference): CheckResult {
  const [own, wanted] = [span.spanContext().traceId, contextOf(other).traceId]
  return {
    pass: own === wanted,
    message: () =>
      own === wanted
        ? `expected span '${span.name}' to be in another trace than ${nameOf(other)}`
        : `expected span '${span.name}' in trace ${wanted} of ${nameOf(other)}, but it is in trace ${own}`,
  }
}

/** Checks that a span has a link to another one, with these attributes among its own. */
export function checkLinkTo(span: ReadableSpan, target: SpanReference, attributes: Attributes = {}): CheckResult {
  const problem = linkProblem(span, target, attributes)
  return {
    pass: problem === undefined,
    message: () => problem ?? `expected span '${span.name}' to have no link to ${nameOf(target)}, but it has one`,
  }
}

/**
 * Checks the value of an instrument: the sum of its points that have these attributes among their own. Of a histogram it is
 * the number of recorded values.
 */
export async function checkMetricValue(
  telemetry: TestTelemetry,
  name: string,
  value: number,
  attributes: Attributes = {},
): Promise<CheckResult> {
  const all = await telemetry.collect()
  const rows = all.filter((row) => row.name === name)
  const matching = rows.filter((row) => differences(row.attributes, attributes).length === 0)
  const sum = matching.reduce((total, row) => total + (row.value ?? row.count ?? 0), 0)
  const pass = matching.length > 0 && sum === value
  return {
    pass,
    message() {
      if (pass) return `expected instrument '${name}' not to have value ${value}, but it has`
      if (rows.length === 0) {
        return `expected instrument '${name}'; recorded: ${inspect([...new Set(all.map((row) => row.name))].sort())}`
      }
      return [
        `expected value ${value} of instrument '${name}', but it is ${sum}; its points:`,
        ...rows.map(point),
      ].join('\n')
    },
  }
}

function problemsOf(span: ReadableSpan, { attributes = {}, kind, error, parent, link }: ExpectedSpan): string[] {
  const problems = differences(span.attributes, attributes)
  if (kind !== undefined && span.kind !== kind) problems.push(`its kind is ${SpanKind[span.kind]}`)
  if (error !== undefined) problems.push(...errorProblems(span, error))
  const wrongParent = parent === undefined ? undefined : parentProblem(span, parent)
  if (wrongParent !== undefined) problems.push(wrongParent)
  const wrongLink = link === undefined ? undefined : linkProblem(span, link, {})
  if (wrongLink !== undefined) problems.push(wrongLink)
  return problems
}

function differences(own: Attributes, expected: Attributes): string[] {
  return Object.entries(expected)
    .filter(([key, value]) => inspect(own[key]) !== inspect(value))
    .map(([key]) => `its ${key} is ${inspect(own[key])}`)
}

function errorProblems(span: ReadableSpan, expected: string | boolean): string[] {
  const type = span.attributes['error.type']
  const failed = span.status.code === SpanStatusCode.ERROR
  if (typeof expected === 'boolean') {
    return failed === expected ? [] : [failed ? `it failed with ${inspect(type)}` : 'it did not fail']
  }
  return type === expected ? [] : [type === undefined ? 'it did not fail' : `it failed with ${inspect(type)}`]
}

function parentProblem(span: ReadableSpan, parent: SpanReference | null): string | undefined {
  const own = span.parentSpanContext
  if (parent === null) {
    return own === undefined ? undefined : `span '${span.name}' is a child of span ${own.spanId}, and starts no trace`
  }
  const { traceId, spanId } = contextOf(parent)
  if (own?.spanId === spanId && own.traceId === traceId) return undefined
  const actual = own === undefined ? 'it starts a trace' : `it is a child of span ${own.spanId} in trace ${own.traceId}`
  return `expected span '${span.name}' to be a child of ${nameOf(parent)}, but ${actual}`
}

function linkProblem(span: ReadableSpan, target: SpanReference, attributes: Attributes): string | undefined {
  const { traceId, spanId } = contextOf(target)
  const isTarget = ({ context }: Link): boolean => context.spanId === spanId && context.traceId === traceId
  const links = span.links.filter(isTarget)
  if (links.some((link) => differences(link.attributes ?? {}, attributes).length === 0)) return undefined
  const actual =
    links.length > 0
      ? `its attributes are ${inspect(links[0]?.attributes)}`
      : `it has ${span.links.length === 0 ? 'no links' : `links to ${inspect(span.links.map((link) => link.context.spanId))}`}`
  return `expected a link of span '${span.name}' to ${nameOf(target)}, but ${actual}`
}

function contextOf(reference: SpanReference): SpanContext {
  return 'spanContext' in reference ? reference.spanContext() : reference
}

function nameOf(reference: SpanReference): string {
  const { traceId, spanId } = contextOf(reference)
  const { name } = reference as { readonly name?: string }
  return `span ${name === undefined ? '' : `'${name}' `}(${spanId} in trace ${traceId})`
}

function listed(problems: readonly string[], index: number): string {
  return `  ${index + 1}: ${problems.join('; ')}`
}

function point({ attributes, value, count }: MetricRow): string {
  return `  ${value ?? count} with ${inspect(attributes)}`
}

function inspect(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined'
}
