import { useRef, useState } from 'preact/hooks'
import { duration, exact, moment, plural } from '../../src/format.ts'
import { textAttribute } from '../../src/model.ts'
import { CONNECTION_ID } from '../../src/names.ts'
import type { SpanDetail, TraceComparison, TraceDetail } from '../../src/wire.ts'
import { BroadcastTable } from './broadcast-table.tsx'
import { Comparison } from './comparison.tsx'
import { CopyButton } from './copy-button.tsx'
import { useKeys } from './keyboard.ts'
import { LogLines } from './log-lines.tsx'
import { mostNotable } from './most-notable.ts'
import { adjust, href, step } from './route.ts'
import { SpanFacts } from './span-facts.tsx'
import { TraceTools } from './trace-tools.tsx'
import { visibleRows } from './visible-rows.ts'
import { Waterfall } from './waterfall.tsx'

interface Props {
  readonly id: string
  /** Null when it is not kept, undefined until the answer is here. */
  readonly trace: TraceDetail | null | undefined
  readonly comparison: TraceComparison | null | undefined
  /** Key of the span whose facts are shown; empty for the one that most deserves it. */
  readonly selected: string
  /** What the list is filtered by: a span that it names is likely the one that is looked for. */
  readonly sought: string
  /** What is looked for within the trace. */
  readonly find: string
  /** Id of the trace that it is compared with; empty for none. */
  readonly against: string
}

export function TracePane({ id, trace, comparison, selected, sought, find, against }: Props) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  const pane = useRef<HTMLElement>(null)
  const spans = trace?.spans ?? []
  const rows = trace ? visibleRows(trace, folded) : []
  const chosen = selected === '' ? undefined : spans.find((one) => one.key === selected || one.spanId === selected)
  const span = chosen ?? mostNotable(spans, sought)
  const select = (key: string) => {
    setFolded(unfolded(folded, spans, key))
    adjust({ span: key })
  }
  const move = (by: number) => () => {
    const next = rows[rows.findIndex((row) => row.span === span) + by]
    if (next !== undefined) select(next.span.key)
  }
  const fold = (fold: boolean) => () => {
    if (span === undefined || folded.has(span.key) === fold) return
    const next = new Set(folded)
    if (fold) next.add(span.key)
    else next.delete(span.key)
    setFolded(next)
  }
  // To its links, past all of the list.
  const enter = () => {
    const first = (selector: string) => pane.current?.querySelector<HTMLElement>(selector)
    const target = first('.facts .link-list a') ?? first('.facts a') ?? first('a, button')
    target?.focus()
  }
  useKeys({ '[': move(-1), ']': move(1), Enter: enter, ArrowLeft: fold(true), ArrowRight: fold(false) })
  return (
    <section class="pane" aria-label="Trace" ref={pane}>
      <div class="pane-head">
        <div>
          <h2>{spans[0]?.name ?? 'Trace'}</h2>
          <p class="sub">
            <span>
              <code title="Trace id">{id}</code>
              <CopyButton text={id} label="Copy the trace id" />
            </span>
            {trace && <Summary trace={trace} />}
          </p>
        </div>
        <PaneActions id={id} against={against} />
      </div>
      {trace === null && (
        <p class="nothing">This trace is not kept: it was not received, not sampled, or dropped to make room.</p>
      )}
      {trace && span && against !== '' && <Comparison comparison={comparison} />}
      {trace && span && against === '' && (
        <>
          <Notices trace={trace} selected={selected} missing={selected !== '' && chosen === undefined} />
          <TraceTools
            trace={trace}
            find={find}
            selected={span.key}
            onSelect={select}
            onFold={(all) => setFolded(all ? new Set(spans.map(({ key }) => key)) : new Set())}
          />
          <Waterfall
            trace={trace}
            rows={rows}
            selected={span.key}
            onSelect={select}
            onFold={(key) => {
              const next = new Set(folded)
              if (!next.delete(key)) next.add(key)
              setFolded(next)
            }}
          />
          <div class="facts-scroll">
            <SpanFacts span={span} trace={trace} />
            <BroadcastTable rows={trace.broadcast} onSelect={select} />
            <LogLines logs={trace.logs} count={trace.logCount} since={trace.start} title="Logs of this trace" />
          </div>
        </>
      )}
    </section>
  )
}

/** Takes the folds away that hide a span. */
function unfolded(folded: ReadonlySet<string>, spans: readonly SpanDetail[], key: string): ReadonlySet<string> {
  if (folded.size === 0) return folded
  const parents = new Map(spans.map((span) => [span.key, span.parent]))
  const next = new Set(folded)
  for (let at = parents.get(key) ?? ''; at !== ''; at = parents.get(at) ?? '') next.delete(at)
  return next
}

function Summary({ trace }: { readonly trace: TraceDetail }) {
  const connection = trace.spans.map((span) => textAttribute(span.attributes, CONNECTION_ID)).find(Boolean)
  return (
    <>
      <span title="Start">{moment(trace.start)}</span>
      <span>
        {duration(trace.duration)}, {plural(trace.total, 'span')}
        {trace.failed > 0 && <span class="bad">, {exact(trace.failed)} failed</span>}
      </span>
      {connection !== undefined && (
        <a href={href('connections', { open: connection })} data-testid="to-connection">
          connection {connection.slice(0, 8)} →
        </a>
      )}
    </>
  )
}

function PaneActions({ id, against }: { readonly id: string; readonly against: string }) {
  return (
    <div class="pane-actions">
      <button
        type="button"
        aria-pressed={against !== ''}
        title="Beside another trace of this name"
        onClick={() => step({ against: against === '' ? '-' : '' })}
      >
        Compare
      </button>
      <CopyButton text={() => location.href} label="Copy a link to this trace">
        Link
      </CopyButton>
      <a
        class="button"
        href={`api/export?trace=${id}`}
        download={`trace-${id}.json`}
        title="Save this trace as OTLP/JSON"
      >
        Save
      </a>
      <button
        type="button"
        onClick={() => step({ open: '', span: '', find: '', against: '' })}
        aria-label="Close the trace"
        title="Key Esc"
      >
        ×
      </button>
    </div>
  )
}

interface NoticesProps {
  readonly trace: TraceDetail
  readonly selected: string
  readonly missing: boolean
}

/** What is doubtful about the trace, and what of it is not drawn. */
function Notices({ trace, selected, missing }: NoticesProps) {
  const { doubts, omitted, spans, total } = trace
  if (doubts.length === 0 && omitted === 0 && !missing) return null
  return (
    <ul class="notices">
      {missing && <li>Span {selected} is not in what is kept of this trace: another one is shown.</li>}
      {omitted > 0 && (
        <li>
          {exact(spans.length)} of {exact(total)} spans are drawn: those in error with the path to them, what you look
          for, the slowest, then from the top.
        </li>
      )}
      {doubts.map((doubt) => (
        <li key={doubt}>{doubt}.</li>
      ))}
    </ul>
  )
}
