import { duration, exact } from '../../src/format.ts'
import type { SpanDetail, TraceDetail } from '../../src/wire.ts'
import { intoView } from './into-view.ts'
import { nodeName } from './node-name.ts'
import { OperationTag, shortName } from './operation-tag.tsx'

interface Props {
  readonly trace: TraceDetail
  readonly selected: string
  readonly onSelect: (spanId: string) => void
}

/** Processes beyond this many share colours. */
const colours = 6

/** The spans of a trace on a common time axis, parents above children, one colour per process. */
export function Waterfall({ trace, selected, onSelect }: Props) {
  const { spans, depths } = trace
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.start + span.duration))
  const length = Math.max(end - start, 0.001)
  const severalServices = spans.some(({ service }) => service !== spans[0]?.service)
  const originOf = (span: SpanDetail) => nameOfOrigin(span, severalServices)
  const origins = [...new Set(spans.map(originOf))]
  return (
    <div class="waterfall" role="listbox" aria-label="Spans">
      <div class="ruler" aria-hidden="true">
        <span class="legend">
          {origins.map((one, index) => (
            <span key={one}>
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
      {spans.map((span, index) => (
        <button
          key={span.spanId}
          ref={span.spanId === selected ? intoView : null}
          type="button"
          role="option"
          aria-selected={span.spanId === selected}
          class={`span-row ${span.error ? 'error' : ''}`}
          onClick={() => onSelect(span.spanId)}
        >
          <span class="span-name" style={{ paddingLeft: `${8 + Math.min(depths[index] ?? 0, 12) * 14}px` }}>
            <OperationTag operation={span.operation} kind={span.kind} />
            <span title={span.name}>{shortName(span.name, span.operation)}</span>
            <LinkCount span={span} />
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
            <Length span={span} start={start} length={length} />
          </span>
        </button>
      ))}
      {trace.omitted > 0 && <p class="nothing">{exact(trace.omitted)} further spans are not shown.</p>}
    </div>
  )
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

/** The duration: after the bar where there is room for it, else before it, else within. */
function Length({
  span,
  start,
  length,
}: {
  readonly span: SpanDetail
  readonly start: number
  readonly length: number
}) {
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
