import { useMemo, useState } from 'preact/hooks'
import { age, bytes, duration, exact, moment, plural } from '../../src/format.ts'
import type { ConnectionDetail, Mark } from '../../src/wire.ts'
import { CloseText, hasNeverOpened, StateTag } from './connection-state.tsx'
import { intoView } from './into-view.ts'
import { useKeys } from './keyboard.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, go, href, step } from './route.ts'
import { Timeline } from './timeline.tsx'

interface Props {
  readonly id: string
  /** Null when it is not known, undefined until the answer is here. */
  readonly detail: ConnectionDetail | null | undefined
  readonly marks: readonly Mark[]
  readonly now: number
  /** Number of the selected mark; empty for none. */
  readonly selected: string
}

/** Rows of the table below the timeline. */
const most = 200

export function ConnectionPane({ id, detail, marks, now, selected }: Props) {
  const [window, setWindow] = useState<{ from: number; to: number } | undefined>(undefined)
  const sorted = useMemo(() => [...marks].sort((a, b) => a.start - b.start), [marks])
  const current = sorted.findIndex((mark) => String(mark.number) === selected)
  const move = (by: number) => () => {
    const next = sorted[current < 0 ? (by > 0 ? 0 : sorted.length - 1) : current + by]
    if (next !== undefined) adjust({ mark: String(next.number) })
  }
  const openTrace = () => {
    const mark = sorted[current]
    if (mark !== undefined) go('traces', { open: mark.traceId, span: mark.spanId })
  }
  useKeys({ ArrowLeft: move(-1), ArrowRight: move(1), Enter: openTrace })
  const row = detail?.row
  return (
    <section class="pane" aria-label="Connection">
      <div class="pane-head">
        <div>
          <h2>
            {row && <StateTag row={row} />} {row?.route || 'Connection'}
          </h2>
          <p class="sub">
            <code title="Connection id">{id}</code>
            {detail && row && (
              <>
                {row.user !== '' && <b>{row.user}</b>}
                {row.peer !== '' && <span>from {row.peer}</span>}
                {row.transport !== '' && <span>over {row.transport}</span>}
                <span title="Service and node">{[row.service, row.instance].filter(Boolean).join(' ')}</span>
                {row.ofClient && <span>told by the client only</span>}
                <span title={moment(row.opened)}>{age((row.state === 'open' ? now : row.closed) - row.opened)}</span>
                <span>
                  {plural(row.received, 'message')} in ({bytes(row.bytesReceived)}), {exact(row.sent)} out (
                  {bytes(row.bytesSent)})
                </span>
                <span>
                  <CloseText row={row} />
                </span>
                {hasNeverOpened(row) ? (
                  marks[0] && (
                    <a href={href('traces', { open: marks[0].traceId, span: marks[0].spanId })}>its trace →</a>
                  )
                ) : (
                  <a href={href('traces', { connection: id })}>all its traces →</a>
                )}
                {detail.previous !== '' && (
                  <a href={href('connections', { open: detail.previous })}>replaces {detail.previous.slice(0, 8)} →</a>
                )}
                {detail.next !== '' && (
                  <a href={href('connections', { open: detail.next })}>replaced by {detail.next.slice(0, 8)} →</a>
                )}
              </>
            )}
          </p>
        </div>
        <button
          type="button"
          onClick={() => step({ open: '', mark: '' })}
          aria-label="Close the connection"
          title="Key Esc"
        >
          ×
        </button>
      </div>
      {detail === null && (
        <p class="nothing">This connection is not known: it was not received, or dropped to make room.</p>
      )}
      {detail && row && (
        <>
          <Timeline
            marks={sorted}
            from={Math.min(row.opened, sorted[0]?.start ?? row.opened)}
            to={Math.max(
              row.state === 'open' ? now : row.closed,
              ...sorted.slice(-1).map((mark) => mark.start + mark.duration),
            )}
            window={window}
            onWindow={setWindow}
            ending={
              row.state === 'closed'
                ? `${row.closeCategory} ${row.closeCode ?? ''}`
                : row.state === 'open'
                  ? ''
                  : row.state
            }
            selected={current < 0 ? undefined : sorted[current]}
            onSelect={(mark) => adjust({ mark: String(mark.number) })}
          />
          <Messages marks={sorted} window={window} selected={selected} omitted={detail.omitted} />
        </>
      )}
    </section>
  )
}

interface MessagesProps {
  readonly marks: readonly Mark[]
  readonly window: { from: number; to: number } | undefined
  readonly selected: string
  readonly omitted: number
}

function Messages({ marks, window, selected, omitted }: MessagesProps) {
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
