import { duration, exact } from '../../src/format.ts'
import type { SpanDetail, TraceDetail } from '../../src/wire.ts'
import { nodeName } from './node-name.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { useRowsInView } from './rows-in-view.ts'
import type { SpanRow } from './visible-rows.ts'

interface Props {
  readonly trace: TraceDetail
  readonly rows: readonly SpanRow[]
  /** Key of the selected span. */
  readonly selected: string
  readonly onSelect: (key: string) => void
  readonly onFold: (key: string) => void
}

/** Processes beyond this many share colours. */
const colours = 6
/** Height of a row, as the style sheet has it. */
const rowHeight = 26

/** The spans of a trace on a common time axis, parents above children, one colour per process. */
export function Waterfall({ trace, rows, selected, onSelect, onFold }: Props) {
  const { spans } = trace
  const start = Math.min(trace.start, ...spans.map((span) => span.start))
  const length = Math.max(trace.duration, 0.001)
  const severalServices = spans.some(({ service }) => service !== spans[0]?.service)
  const originOf = (span: SpanDetail) => nameOfOrigin(span, severalServices)
  const origins = [...new Set(spans.map(originOf))]
  const found = new Set(trace.found?.keys)
  const at = rows.findIndex(({ span }) => span.key === selected)
  const { scroller, first, end, above, below } = useRowsInView(rows.length, rowHeight, at)
  return (
    <div class="waterfall" role="listbox" aria-label="Spans" ref={scroller}>
      <div class="ruler" aria-hidden="true">
        <span class="legend">
          {origins.map((one, index) => (
            <span key={one} title={one}>
              <i class={`dot service${index % colours}`} />
              {one}
            </span>
          ))}
        </span>
        <span class="ticks">
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <span key={share} style={{ left: `${share * 100}%` }}>
              {duration(share * length)}
            </span>
          ))}
        </span>
      </div>
      <div role="presentation" style={{ paddingTop: `${above}px`, paddingBottom: `${below}px` }}>
        {rows.slice(first, end).map(({ span, depth, below: children, folded }) => (
          <div key={span.key} class={`span-line ${found.has(span.key) ? 'found' : ''}`} role="presentation">
            <button
              type="button"
              role="option"
              aria-selected={span.key === selected}
              class={`span-row ${span.error ? 'error' : ''}`}
              onClick={({ target }) => (isFold(target) ? onFold : onSelect)(span.key)}
            >
              <span class="span-name" style={{ paddingLeft: `${Math.min(depth, 12) * 14}px` }}>
                {/* For the pointer alone: with the keyboard a span is folded by its arrow keys. */}
                <span class={`fold ${children === 0 ? '' : folded ? 'closed' : 'open'}`} aria-hidden="true" />
                <OperationTag operation={span.operation} kind={span.kind} />
                <span title={span.name}>{shortName(span.name, span.operation)}</span>
                <LinkCount span={span} />
                {folded && <span class="note">{exact(children)} below</span>}
                {span.note !== '' && (
                  <span class="note" title={span.note}>
                    {span.note}
                  </span>
                )}
              </span>
              <span class="span-track">
                <span
                  class={`span-bar service${origins.indexOf(originOf(span)) % colours}`}
                  style={{
                    left: `${((span.start - start) / length) * 100}%`,
                    width: `${Math.max((span.duration / length) * 100, 0.3)}%`,
                  }}
                />
                <Events span={span} start={start} length={length} />
                <Length span={span} start={start} length={length} />
              </span>
            </button>
          </div>
        ))}
      </div>
    </div>
  )
}

function isFold(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('.fold:is(.open, .closed)') !== null
}

/** What a span's colour stands for: its process, and which end of the connection where one process is both. */
function nameOfOrigin({ service, instance, ofClient }: SpanDetail, severalServices: boolean): string {
  const node = instance === '' ? '' : nodeName(service, instance)
  return [severalServices || node === '' ? service : '', node, ofClient ? '(client)' : ''].filter(Boolean).join(' ')
}

function LinkCount({ span }: { readonly span: SpanDetail }) {
  const all = span.links.length + span.linkedFromCount
  return all === 0 ? null : (
    <span class="links" title={`${span.links.length} links from this span, ${span.linkedFromCount} to it`}>
      ↔ {exact(all)}
    </span>
  )
}

interface OnTrack {
  readonly span: SpanDetail
  readonly start: number
  readonly length: number
}

/** Events of a span that are drawn. */
const mostEvents = 30

function Events({ span, start, length }: OnTrack) {
  return (
    <>
      {span.events.slice(0, mostEvents).map((event, index) => (
        <i
          key={index}
          class={`span-event ${event.name === 'exception' ? 'error' : ''}`}
          title={`${event.name} at +${duration(event.time - span.start)}`}
          style={{ left: `${((event.time - start) / length) * 100}%` }}
        />
      ))}
    </>
  )
}

/** The duration: after the bar where there is room for it, else before it, else within. */
function Length({ span, start, length }: OnTrack) {
  const left = (span.start - start) / length
  const right = 1 - left - span.duration / length
  const side = right > 0.16 ? 'after' : left > 0.16 ? 'before' : 'inside'
  const places = {
    after: { left: `${(1 - right) * 100}%` },
    before: { right: `${(1 - left) * 100}%` },
    inside: { right: `${Math.max(right, 0) * 100}%` },
  }
  return (
    <span class={`span-length ${side}`} style={places[side]}>
      {duration(span.duration)}
    </span>
  )
}
