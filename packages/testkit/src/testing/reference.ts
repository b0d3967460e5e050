import { readFileSync } from 'node:fs'
import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { MetricRow } from '@otel-ws/testing'

/** First words of names of attributes that this project sets. Applications in tests use others for their own. */
const PREFIXES = /^(websocket|http|url|network|client|server|user_agent|error|code)\./

/** The tables of docs/telemetry.md, by the texts of their first columns. */
interface Reference {
  /** Kinds of the spans, by the first word of their names. */
  readonly spans: ReadonlyMap<string, string>
  /** Where each attribute stands. */
  readonly attributes: ReadonlyMap<string, string>
  readonly instruments: ReadonlySet<string>
}

let reference: Reference | undefined

function readReference(): Reference {
  const text = readFileSync(new URL('../../../../docs/telemetry.md', import.meta.url), 'utf8')
  const section = (title: string): string[][] => {
    const [, body = ''] = text.split(`\n## ${title}\n`)
    const [rows = ''] = body.split('\n## ')
    const lines = rows.split('\n').filter((line) => line.startsWith('| `'))
    return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  }
  const words = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word as string)
  return {
    spans: new Map(section('Spans').map(([, name = '', kind = '']) => [words(name)[0]?.split(' {')[0] ?? '', kind])),
    attributes: new Map(section('Attributes').map(([, name = '', on = '']) => [words(name)[0] ?? '', on])),
    instruments: new Set(section('Metrics').flatMap(([, name = '']) => words(name))),
  }
}

/** The kind of span by its name, as the reference calls it. */
function operationOf(name: string): string {
  if (name === 'slow consumers') return name
  const [word = ''] = name.split(' ')
  // The handshake is named by the request's method; that of a namespace by its packet.
  return /^[A-Z]+$/.test(word) ? 'handshake' : word
}

/**
 * What docs/telemetry.md does not say of these spans and metrics, one line for each: names of spans, their kinds,
 * attributes and where they stand, instruments. Empty if it is complete.
 */
export function undocumented(spans: readonly ReadableSpan[], rows: readonly MetricRow[]): string[] {
  reference ??= readReference()
  const { spans: kinds, attributes, instruments } = reference
  const problems = new Set<string>()
  for (const span of spans) {
    if (!span.instrumentationScope.name.startsWith('@otel-ws/')) continue
    const operation = operationOf(span.name)
    const kind = kinds.get(operation === 'handshake' ? 'GET' : operation)
    if (kind === undefined) problems.add(`span ${operation} (${span.name})`)
    else if (!kind.includes(SpanKind[span.kind] as string)) problems.add(`kind ${SpanKind[span.kind]} of ${operation}`)
    // With `traces: 'connection'` the span of the connection has what the close has.
    const places = operation === 'connection' ? ['connection', 'close'] : [operation]
    for (const key of Object.keys(span.attributes)) {
      if (!PREFIXES.test(key)) continue
      const on = attributes.get(key)
      if (on === undefined) problems.add(`attribute ${key}`)
      else if (!/\bspans\b/.test(on) && !on.split(', ').some((place) => places.includes(place)))
        problems.add(`attribute ${key} on ${operation}`)
    }
  }
  for (const { name, attributes: labels } of rows) {
    if (!name.startsWith('websocket.')) continue
    if (!instruments.has(name)) problems.add(`instrument ${name}`)
    for (const key of Object.keys(labels)) {
      if (PREFIXES.test(key) && !/\bmetrics\b/.test(attributes.get(key) ?? ''))
        problems.add(`attribute ${key} on metrics`)
    }
  }
  return [...problems]
}
