import { useMemo, useState } from 'preact/hooks'
import { age, bytes, duration, exact, moment, plural } from '../../src/format.ts'
import type { ConnectionDetail, ConnectionRow, Mark } from '../../src/wire.ts'
import { AccountLine } from './account-line.tsx'
import { AttributeTable } from './attribute-table.tsx'
import { CloseText, hasNeverOpened, StateTag } from './connection-state.tsx'
import { CopyButton } from './copy-button.tsx'
import { useKeys } from './keyboard.ts'
import { LogLines } from './log-lines.tsx'
import { MarkTable } from './mark-table.tsx'
import { adjust, go, href, step } from './route.ts'
import { Timeline } from './timeline.tsx'
import type { TimeWindow } from './timeline-cells.ts'

interface Props {
  readonly id: string
  /** Null when it is not known, undefined until the answer is here. */
  readonly detail: ConnectionDetail | null | undefined
  readonly marks: readonly Mark[]
  readonly now: number
  /** Number of the selected mark; empty for none. */
  readonly selected: string
}

export function ConnectionPane({ id, detail, marks, now, selected }: Props) {
  const [window, setWindow] = useState<TimeWindow | undefined>(undefined)
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
            {!(row && hasNeverOpened(row)) && (
              <span>
                <code title="Connection id">{id}</code>
                <CopyButton text={id} label="Copy the connection id" />
              </span>
            )}
            {detail && <Facts detail={detail} firstMark={marks[0]} now={now} />}
          </p>
          {detail && row && !hasNeverOpened(row) && (
            <>
              <AccountLine direction="sent" account={detail.sent} gaps={detail.gaps} row={row} />
              <AccountLine direction="received" account={detail.received} gaps={detail.gaps} row={row} />
            </>
          )}
        </div>
        <div class="pane-actions">
          <CopyButton text={() => location.href} label="Copy a link to this connection">
            Link
          </CopyButton>
          <a
            class="button"
            href={`api/export?connection=${encodeURIComponent(id)}`}
            download={`connection-${id}.json`}
            title="Save the traces of this connection as OTLP/JSON"
          >
            Save
          </a>
          <button
            type="button"
            onClick={() => step({ open: '', mark: '' })}
            aria-label="Close the connection"
            title="Key Esc"
          >
            ×
          </button>
        </div>
      </div>
      {detail === null && (
        <p class="nothing">This connection is not known: it was not received, or dropped to make room.</p>
      )}
      {detail && row && (
        <>
          <Timeline
            marks={sorted}
            gaps={detail.gaps}
            operations={detail.operations}
            now={now}
            from={Math.min(row.opened, sorted[0]?.start ?? row.opened)}
            to={endOf(row, sorted, now)}
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
          <MarkTable
            marks={sorted}
            gaps={detail.gaps}
            window={window}
            selected={selected}
            omitted={detail.omitted}
            row={row}
          >
            <LogLines logs={detail.logs} count={detail.logCount} since={row.opened} title="Logs of this connection" />
            <AttributeTable title="Attributes of its spans" attributes={detail.attributes} view="connections" />
          </MarkTable>
        </>
      )}
    </section>
  )
}

/**
 * Until when the timeline reaches. Of a connection that is open it goes on in steps of a thirtieth: what is drawn stays
 * where it is from one update to the next.
 */
function endOf(row: ConnectionRow, marks: readonly Mark[], now: number): number {
  const last = marks.at(-1)
  const end = Math.max(row.state === 'open' ? now : row.closed, last === undefined ? 0 : last.start + last.duration)
  if (row.state !== 'open') return end
  const step = 2 ** Math.ceil(Math.log2(Math.max(end - row.opened, 1000) / 30))
  return row.opened + Math.ceil((end - row.opened) / step) * step
}

interface FactsProps {
  readonly detail: ConnectionDetail
  readonly firstMark: Mark | undefined
  readonly now: number
}

/** What there is to say of a connection in a line or two, and where to go from there. */
function Facts({ detail, firstMark, now }: FactsProps) {
  const { row } = detail
  return (
    <>
      {row.user !== '' && (
        <a href={href('sessions', { open: row.user })} title="All connections of this user">
          <b>{row.user}</b> →
        </a>
      )}
      {row.peer !== '' && <span>from {row.peer}</span>}
      {row.transport !== '' && <span>over {row.transport}</span>}
      <span title="Service and node">{[row.service, row.instance].filter(Boolean).join(' ')}</span>
      {row.ofClient && <span>as the client records it, without the server</span>}
      {!hasNeverOpened(row) && <Traffic row={row} now={now} />}
      {row.rtt !== null && <span title="The last one that a span says">RTT {duration(row.rtt * 1000)}</span>}
      {row.buffered !== null && row.state === 'open' && (
        <span title="The last that a span says">{bytes(row.buffered)} waiting to be sent</span>
      )}
      {row.undelivered > 0 && <span class="bad">{plural(row.undelivered, 'message')} undelivered</span>}
      <span>
        <CloseText row={row} />
      </span>
      {hasNeverOpened(row) ? (
        firstMark && <a href={href('traces', { open: firstMark.traceId, span: firstMark.spanId })}>its trace →</a>
      ) : (
        <a href={href('traces', { connection: row.id })}>all its traces →</a>
      )}
      {detail.previous !== '' && (
        <a href={href('connections', { open: detail.previous })}>replaces {detail.previous.slice(0, 8)} →</a>
      )}
      {detail.next !== '' && (
        <a href={href('connections', { open: detail.next })}>replaced by {detail.next.slice(0, 8)} →</a>
      )}
    </>
  )
}

function Traffic({ row, now }: { readonly row: ConnectionRow; readonly now: number }) {
  return (
    <>
      <span title={moment(row.opened)}>{age((row.state === 'open' ? now : row.closed) - row.opened)}</span>
      <span>
        {plural(row.received, 'message')} in ({bytes(row.bytesReceived)}), {exact(row.sent)} out ({bytes(row.bytesSent)}
        )
      </span>
    </>
  )
}
