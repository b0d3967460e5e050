import type { ComponentChildren } from 'preact'
import { bytes, duration, exact, moment } from '../../src/format.ts'
import type { ConnectionRow, Gap, Mark } from '../../src/wire.ts'
import { broadcastSearch, reasonsOf } from './account-line.tsx'
import { intoView } from './into-view.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, href } from './route.ts'
import type { TimeWindow } from './timeline-cells.ts'

/** Rows that are drawn. */
const most = 200

interface Props {
  /** By start. */
  readonly marks: readonly Mark[]
  readonly gaps: readonly Gap[]
  /** The part of the timeline that is in view; undefined for the whole. */
  readonly window: TimeWindow | undefined
  /** Number of the selected mark; empty for none. */
  readonly selected: string
  /** Marks that are no longer kept. */
  readonly omitted: number
  readonly row: ConnectionRow
  /** What stands below the table. */
  readonly children: ComponentChildren
}

/**
 * The marks of a timeline as a table, newest first, with the messages that have none in their places: what a chart cannot
 * say in words, and what a keyboard can reach.
 */
export function MarkTable({ marks, gaps, window, selected, omitted, row, children }: Props) {
  const within = window
    ? marks.filter((mark) => mark.start <= window.to && mark.start + mark.duration >= window.from)
    : marks
  const start = marks[0]?.start ?? 0
  const at = within.findIndex((mark) => String(mark.number) === selected)
  // The selected mark stays in the table, whatever part of a long list is shown.
  const last = at >= 0 && at < within.length - most ? Math.min(within.length, at + most / 2) : within.length
  const shown = within.slice(Math.max(0, last - most), last)
  const gapsShown = gaps.filter((gap) => isWithin(gap, shown, last === within.length, within.length <= most))
  const rows = [...shown, ...gapsShown].sort((a, b) => timeOf(b) - timeOf(a))
  return (
    <div class="scroll">
      <table class="messages">
        <thead>
          <tr>
            <th class="at num">At</th>
            <th class="name">What</th>
            <th class="sequence num">Sequence</th>
            <th class="size num">Size</th>
            <th class="duration num">Duration</th>
            <th class="outcome">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) =>
            'number' in one ? (
              <MarkRow key={one.number} mark={one} start={start} selected={String(one.number) === selected} />
            ) : (
              <GapRow key={`${one.direction} ${one.first}`} gap={one} start={start} row={row} />
            ),
          )}
        </tbody>
      </table>
      {(shown.length < within.length || omitted > 0) && (
        <p class="nothing">
          {exact(shown.length)} of {exact(within.length)} marks listed{window && ' in this part'}
          {omitted > 0 && `; ${exact(omitted)} older spans were dropped to make room`}.
        </p>
      )}
      <div class="below">{children}</div>
    </div>
  )
}

function timeOf(one: Mark | Gap): number {
  return 'number' in one ? one.start : one.to - 0.001
}

/** Whether a gap lies in the part of time that the listed marks are of. */
function isWithin(gap: Gap, shown: readonly Mark[], untilEnd: boolean, fromStart: boolean): boolean {
  const first = shown[0]?.start
  const last = shown.at(-1)?.start
  if (first === undefined || last === undefined) return true
  return (fromStart || gap.to >= first) && (untilEnd || gap.from <= last)
}

interface MarkRowProps {
  readonly mark: Mark
  readonly start: number
  readonly selected: boolean
}

function MarkRow({ mark, start, selected }: MarkRowProps) {
  return (
    <tr
      ref={selected ? intoView : null}
      class={mark.error === '' ? '' : 'error'}
      aria-selected={selected}
      onClick={() => adjust({ mark: String(mark.number) })}
    >
      <td class="at num mono" title={moment(mark.start)}>
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
      <td class="sequence num mono">{mark.sequence === null ? '' : `#${exact(mark.sequence)}`}</td>
      <td class="size num mono">{mark.size === null ? '' : bytes(mark.size)}</td>
      <td class="duration num mono">{duration(mark.duration)}</td>
      <td class="outcome">
        {mark.note !== '' && <span>{mark.note}</span>}
        {!mark.note.includes(mark.error) && <span class="error-text">{mark.error}</span>}
      </td>
    </tr>
  )
}

interface GapRowProps {
  readonly gap: Gap
  readonly start: number
  readonly row: ConnectionRow
}

function GapRow({ gap, start, row }: GapRowProps) {
  const { first, last, direction, count } = gap
  const broadcasts = broadcastSearch(row, [gap])
  return (
    <tr class="gap" data-testid="gap">
      <td class="at num mono" title={`between ${moment(gap.from)} and ${moment(gap.to)}`}>
        ≤ +{duration(Math.max(0, gap.to - start))}
      </td>
      <td class="name">
        <span class={`tag ${direction === 'sent' ? 'broadcast' : 'other'}`}>{direction}</span>
        {exact(count)} not listed
      </td>
      <td class="sequence num mono">{first === last ? `#${exact(first)}` : `#${exact(first)} – #${exact(last)}`}</td>
      <td class="size" />
      <td class="duration" />
      <td class="outcome">
        {reasonsOf(gap).join('; ')}
        {broadcasts !== '' && (
          <>
            {' '}
            <a href={broadcasts}>broadcasts →</a>
          </>
        )}
      </td>
    </tr>
  )
}
