import { SpanKind } from '@opentelemetry/api'
import { hrTimeToMilliseconds } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Colors } from './colors.ts'
import { formatDuration } from './duration.ts'
import { detailsOf, errorOf } from './span-details.ts'
import { clock, cut, printable, shortId } from './text.ts'

interface Row {
  readonly span: ReadableSpan
  /** The lines that lead from the parent to this row. */
  readonly branch: string
  /** True for the first row of the part of a trace. */
  readonly first: boolean
}

const NAME_WIDTH = 24
const DURATION_WIDTH = 8
/** Columns beside the fixed ones that it takes to say what a link leads to. */
const ROOM_FOR_WORDS = 50

/** Names the columns of {@link formatTrace}. */
export function traceHeading(colors: Colors): string {
  const columns = ['time'.padEnd(12), 'trace'.padEnd(6), 'kind'.padEnd(8), 'name'.padEnd(NAME_WIDTH)]
  return colors.dim([...columns, 'duration'.padStart(DURATION_WIDTH), 'details'].join('  '))
}

/**
 * Writes the spans of a trace as a tree, one line for each: time, trace, kind, name, duration, error, details, links.
 * Children stand under their parent in order of time. A line longer than `width` loses words of its links, then of its details.
 */
export function formatTrace(spans: readonly ReadableSpan[], colors: Colors, width: number): string[] {
  return rowsOf(spans).map((row) => formatRow(row, colors, width))
}

function rowsOf(spans: readonly ReadableSpan[]): Row[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId))
  const children = new Map<string | undefined, ReadableSpan[]>()
  for (const span of [...spans].sort(byStart)) {
    const parent = span.parentSpanContext?.spanId
    const key = parent !== undefined && ids.has(parent) ? parent : undefined
    const siblings = children.get(key)
    if (siblings === undefined) children.set(key, [span])
    else siblings.push(span)
  }

  const rows: Row[] = []
  const descend = (span: ReadableSpan, indent: string, branch: string) => {
    rows.push({ span, branch, first: rows.length === 0 })
    const own = children.get(span.spanContext().spanId) ?? []
    own.forEach((child, index) => {
      const last = index === own.length - 1
      descend(child, indent + (last ? '   ' : '│  '), indent + (last ? '└─ ' : '├─ '))
    })
  }
  for (const root of children.get(undefined) ?? []) descend(root, '', '')
  return rows
}

function byStart(a: ReadableSpan, b: ReadableSpan): number {
  return a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]
}

function formatRow({ span, branch, first }: Row, colors: Colors, width: number): string {
  const error = errorOf(span)
  const name = cut(printable(span.name), NAME_WIDTH - branch.length)
  const padding = ' '.repeat(NAME_WIDTH - branch.length - name.length)
  const paintName = error !== undefined ? colors.red : first ? colors.bold : (text: string) => text
  const columns = [
    colors.dim(clock(hrTimeToMilliseconds(span.startTime))),
    first ? colors.cyan(shortId(span.spanContext().traceId)) : '      ',
    paintKind(span.kind, colors)(SpanKind[span.kind].padEnd(8)),
    colors.dim(branch) + paintName(name) + padding,
    formatDuration(hrTimeToMilliseconds(span.duration)).padStart(DURATION_WIDTH),
  ]

  const free = width - (12 + 6 + 8 + NAME_WIDTH + DURATION_WIDTH + 2 * columns.length)
  const links = linksOf(span, branch, free < ROOM_FOR_WORDS)
  const room = Math.max(free - (links === '' ? 0 : links.length + 2), 12)
  const failure = error === undefined ? '' : cut(printable(`ERROR ${error}`.trim()), room)
  const left = failure === '' ? room : room - failure.length - 2
  const details = cut(printable(detailsOf(span).join(', ')), left)
  if (failure !== '') columns.push(colors.red(failure))
  if (details !== '') columns.push(details)
  if (links !== '') columns.push(colors.cyan(links))
  return columns.join('  ')
}

/** Describes a span's links and its remote parent; short links show only the id. */
function linksOf(span: ReadableSpan, branch: string, brief: boolean): string {
  // The span that closed a connection would take the place of the words that say how it closed.
  const shown = span.links.filter(({ attributes }) => attributes?.['websocket.link.kind'] !== 'cause')
  const links = shown.map((link) => {
    const kind = printable(String(link.attributes?.['websocket.link.kind'] ?? 'span'))
    return `-> ${brief ? '' : `link ${kind} `}${shortId(link.context.traceId)}`
  })
  const parent = span.parentSpanContext
  // A root of the tree that has a parent: the caller's, or one that was printed before.
  if (branch === '' && parent !== undefined) {
    links.push(parent.isRemote ? `-> remote parent ${shortId(parent.spanId)}` : '-> parent above')
  }
  return links.join(' ')
}

function paintKind(kind: SpanKind, colors: Colors): (text: string) => string {
  if (kind === SpanKind.SERVER) return colors.green
  if (kind === SpanKind.CONSUMER) return colors.blue
  if (kind === SpanKind.PRODUCER || kind === SpanKind.CLIENT) return colors.magenta
  return colors.dim
}
