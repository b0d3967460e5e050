import type { ComponentChildren } from 'preact'
import { bytes, duration, exact, moment } from '../../src/format.ts'
import type { ConnectionRow, Gap, Mark } from '../../src/wire.ts'
import { broadcastSearch, reasonsOf } from './account-line.tsx'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, href } from './route.ts'
import { ROW_HEIGHT, useRowsInView } from './rows-in-view.ts'
import type { TimeWindow } from './timeline-cells.ts'
import { redrawnOnChange } from './unchanged.ts'

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
  const gapsWithin = window ? gaps.filter((gap) => gap.from <= window.to && gap.to >= window.from) : gaps
  const start = marks[0]?.start ?? 0
  const rows = [...within, ...gapsWithin].sort((a, b) => timeOf(b) - timeOf(a))
  const at = rows.findIndex((one) => 'number' in one && String(one.number) === selected)
  const { scroller, first, end, above, below } = useRowsInView(rows.length, ROW_HEIGHT, at)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <div class="scroll" ref={scroller} tabIndex={0}>
      <div style={{ paddingTop: `${above}px`, paddingBottom: `${below}px` }}>
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
            {rows
              .slice(first, end)
              .map((one) =>
                'number' in one ? (
                  <MarkRow key={one.number} mark={one} start={start} selected={String(one.number) === selected} />
                ) : (
                  <GapRow key={`${one.direction} ${one.first}`} gap={one} start={start} row={row} />
                ),
              )}
          </tbody>
        </table>
      </div>
      {omitted > 0 && <p class="nothing">{exact(omitted)} older spans were dropped to make room.</p>}
      <div class="below">{children}</div>
    </div>
  )
}

function timeOf(one: Mark | Gap): number {
  return 'number' in one ? one.start : one.to - 0.001
}

interface MarkRowProps {
  readonly mark: Mark
  readonly start: number
  readonly selected: boolean
}

const MarkRow = redrawnOnChange(({ mark, start, selected }: MarkRowProps) => {
  return (
    <tr
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
})

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
      <td class="outcome" title={reasonsOf(gap).join('; ')}>
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
