import { useRef } from 'preact/hooks'
import { duration, moment, plural } from '../../src/format.ts'
import { textAttribute } from '../../src/model.ts'
import { CONNECTION_ID } from '../../src/names.ts'
import type { SpanDetail, TraceDetail } from '../../src/wire.ts'
import { useKeys } from './keyboard.ts'
import { adjust, href, step } from './route.ts'
import { SpanFacts } from './span-facts.tsx'
import { Waterfall } from './waterfall.tsx'

interface Props {
  readonly id: string
  /** Null when it is not kept, undefined until the answer is here. */
  readonly trace: TraceDetail | null | undefined
  /** Id of the span whose facts are shown; empty for the one that most deserves it. */
  readonly selected: string
  /** What the list is filtered by: a span that it names is likely the one that is looked for. */
  readonly sought: string
}

export function TracePane({ id, trace, selected, sought }: Props) {
  const span = trace
    ? (trace.spans.find((one) => one.spanId === selected) ?? mostTelling(trace.spans, sought))
    : undefined
  const move = (by: number) => () => {
    const next = trace?.spans[trace.spans.indexOf(span!) + by]
    if (next !== undefined) adjust({ span: next.spanId })
  }
  const pane = useRef<HTMLElement>(null)
  // To its links, past all of the list.
  const enter = () => {
    const first = (selector: string) => pane.current?.querySelector<HTMLElement>(selector)
    const target = first('.facts a') ?? first('a, button')
    target?.focus()
  }
  useKeys({ '[': move(-1), ']': move(1), Enter: enter })
  return (
    <section class="pane" aria-label="Trace" ref={pane}>
      <div class="pane-head">
        <div>
          <h2>{trace?.spans[0]?.name ?? 'Trace'}</h2>
          <p class="sub">
            <code title="Trace id">{id}</code>
            {trace && <Summary spans={trace.spans} />}
          </p>
        </div>
        <button type="button" onClick={() => step({ open: '', span: '' })} aria-label="Close the trace" title="Key Esc">
          ×
        </button>
      </div>
      {trace === null && (
        <p class="nothing">This trace is not kept: it was not received, not sampled, or dropped to make room.</p>
      )}
      {trace && span && (
        <>
          <Waterfall trace={trace} selected={span.spanId} onSelect={(spanId) => adjust({ span: spanId })} />
          <SpanFacts span={span} traceStart={Math.min(...trace.spans.map((one) => one.start))} />
        </>
      )}
    </section>
  )
}

function mostTelling(spans: readonly SpanDetail[], sought: string): SpanDetail | undefined {
  const words = sought.split(/\s+/).filter(Boolean)
  const named = words.length === 0 ? [] : spans.filter((span) => words.every((word) => hasWord(span, word)))
  return named.find((span) => span.error) ?? longest(named) ?? spans.find((span) => span.error) ?? spans[0]
}

function longest(spans: readonly SpanDetail[]): SpanDetail | undefined {
  return spans.reduce<SpanDetail | undefined>(
    (most, one) => (one.duration > (most?.duration ?? -1) ? one : most),
    undefined,
  )
}

function hasWord({ name, attributes }: SpanDetail, word: string): boolean {
  const equals = word.indexOf('=')
  return equals > 0
    ? textAttribute(attributes, word.slice(0, equals)) === word.slice(equals + 1)
    : name.toLowerCase().includes(word.toLowerCase())
}

function Summary({ spans }: { readonly spans: readonly SpanDetail[] }) {
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.start + span.duration))
  const connection = spans.map((span) => textAttribute(span.attributes, CONNECTION_ID)).find(Boolean)
  return (
    <>
      <span title="Start">{moment(start)}</span>
      <span>
        {duration(end - start)}, {plural(spans.length, 'span')}
      </span>
      {connection !== undefined && (
        <a href={href('connections', { open: connection })} data-testid="to-connection">
          connection {connection.slice(0, 8)} →
        </a>
      )}
    </>
  )
}
