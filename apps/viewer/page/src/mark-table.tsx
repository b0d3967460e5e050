import { bytes, duration, exact, moment } from '../../src/format.ts'
import type { Mark } from '../../src/wire.ts'
import { intoView } from './into-view.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, href } from './route.ts'
import type { TimeWindow } from './timeline-cells.ts'

/** Rows that are drawn. */
const most = 200

interface Props {
  /** By start. */
  readonly marks: readonly Mark[]
  /** The part of the timeline that is in view; undefined for the whole. */
  readonly window: TimeWindow | undefined
  /** Number of the selected mark; empty for none. */
  readonly selected: string
  /** Marks that are no longer kept. */
  readonly omitted: number
}

/** The marks of a timeline as a table, newest first: what a chart cannot say in words, and what a keyboard can reach. */
export function MarkTable({ marks, window, selected, omitted }: Props) {
  const within = window
    ? marks.filter((mark) => mark.start <= window.to && mark.start + mark.duration >= window.from)
    : marks
  const start = marks[0]?.start ?? 0
  const at = within.findIndex((mark) => String(mark.number) === selected)
  // The selected mark stays in the table, whatever part of a long list is shown.
  const last = at >= 0 && at < within.length - most ? Math.min(within.length, at + most / 2) : within.length
  const shown = within.slice(Math.max(0, last - most), last).reverse()
  return (
    <div class="scroll">
      <table class="messages">
        <thead>
          <tr>
            <th class="num">At</th>
            <th>What</th>
            <th class="num">Sequence</th>
            <th class="num">Size</th>
            <th class="num">Duration</th>
            <th>Outcome</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((mark) => (
            <tr
              key={mark.number}
              ref={String(mark.number) === selected ? intoView : null}
              class={mark.error === '' ? '' : 'error'}
              aria-selected={String(mark.number) === selected}
              onClick={() => adjust({ mark: String(mark.number) })}
            >
              <td class="num mono" title={moment(mark.start)}>
                +{duration(mark.start - start)}
              </td>
              <td class="name">
                <OperationTag operation={mark.operation} />
                <a
                  href={href('traces', { open: mark.traceId, span: mark.spanId })}
                  onClick={(event) => event.stopPropagation()}
                >
                  {shortName(mark.name, mark.operation)}
                </a>
                {mark.peer && <span class="muted"> at the other end</span>}
              </td>
              <td class="num mono">{mark.sequence === null ? '' : `#${exact(mark.sequence)}`}</td>
              <td class="num mono">{mark.size === null ? '' : bytes(mark.size)}</td>
              <td class="num mono">{duration(mark.duration)}</td>
              <td class="outcome">
                {mark.note !== '' && <span>{mark.note}</span>}
                {!mark.note.includes(mark.error) && <span class="error-text">{mark.error}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {(shown.length < within.length || omitted > 0) && (
        <p class="nothing">
          {exact(shown.length)} of {exact(within.length)} marks listed{window && ' in this part'}
          {omitted > 0 && `; ${exact(omitted)} older spans were dropped to make room`}.
        </p>
      )}
    </div>
  )
}
