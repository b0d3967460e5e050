import { age, bytes, count, duration, exact, moment } from '../../src/format.ts'
import type { ConnectionRow } from '../../src/wire.ts'
import { ConnectionPane } from './connection-pane.tsx'
import { CloseText, hasNeverOpened, StateTag } from './connection-state.tsx'
import { PickChip, Select } from './controls.tsx'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { nodeName } from './node-name.ts'
import { href, type Params, step } from './route.ts'

interface Props {
  readonly params: Params
  readonly live: Live
}

export function ConnectionsView({ params, live: { data, answered, busy, marks } }: Props) {
  const { open = '', state = '', sort = '' } = params
  const now = data.now ?? Date.now()
  const severalNodes = data.connections?.severalNodes === true
  return (
    <ListView
      noun="connections"
      params={params}
      latest={data.connections}
      answered={answered}
      busy={busy}
      open={open}
      selection="mark"
      filters={() => (
        <>
          <Select label="State" name="state" value={state} options={STATES} />
          <Select label="Order" name="sort" value={sort} options={ORDERS} />
          <PickChip pick={params.pick} />
        </>
      )}
      facts={(list) => <>, {count(list.open)} open</>}
      columns={
        <>
          <th class="state">State</th>
          <th class="route">Route</th>
          {severalNodes && <th class="node">Node</th>}
          <th class="peer">Peer</th>
          <th class="id">Id</th>
          <th class="age num">Age</th>
          <th class="traffic num">Received</th>
          <th class="traffic num">Sent</th>
          <th class="undelivered num">Undelivered</th>
          <th class="rtt num">Last RTT</th>
          <th class="buffered num">Buffered</th>
          <th class="errors num">Errors</th>
          <th class="close">Close</th>
        </>
      }
      row={(row) => <Row key={row.id} row={row} now={now} params={params} severalNodes={severalNodes} />}
      before={sort === '' ? (row) => row.opened : undefined}
      empty={
        <>
          <h2>Waiting for the first connection</h2>
          <p>
            Connections appear with their first span. Spans of otel-ws carry a connection id: <code>npm install</code>{' '}
            its package for your WebSocket library, and register it as its README shows.
          </p>
        </>
      }
      layout="stack"
      pane={
        <ConnectionPane
          key={open}
          id={open}
          detail={data.connection}
          marks={marks}
          now={now}
          selected={params.mark ?? ''}
        />
      }
    />
  )
}

const STATES = [
  ['', 'any state'],
  ['open', 'open'],
  ['closed', 'closed'],
  ['dropped', 'dropped'],
  ['rejected', 'rejected'],
  ['errors', 'with errors'],
  ['slow', 'slow consumers'],
  ['undelivered', 'with undelivered messages'],
] as const

const ORDERS = [
  ['', 'newest first'],
  ['buffered', 'most buffered'],
  ['undelivered', 'most undelivered'],
  ['rtt', 'longest RTT'],
  ['messages', 'most messages'],
  ['bytes', 'most bytes'],
  ['errors', 'most errors'],
  ['longest', 'longest first'],
] as const

interface RowProps {
  readonly row: ConnectionRow
  readonly now: number
  readonly params: Params
  readonly severalNodes: boolean
}

function Row({ row, now, params, severalNodes }: RowProps) {
  const opened = moment(row.opened)
  const neverOpened = hasNeverOpened(row)
  return (
    <tr
      class={row.dropped || row.state === 'rejected' || row.state === 'failed' ? 'error' : ''}
      aria-selected={params.open === row.id}
      onClick={() => step({ open: row.id, mark: '' })}
    >
      <td class="state">
        <StateTag row={row} />
      </td>
      <td class="route" title={row.route}>
        {row.route}
        {row.subprotocol !== '' && <span class="muted"> {row.subprotocol}</span>}
        {row.ofClient && <span class="muted"> client</span>}
      </td>
      {severalNodes && (
        <td class="node" title={`${row.service} ${row.instance}`}>
          {nodeName(row.service, row.instance)}
        </td>
      )}
      <td class="mono peer" title={`${row.user} ${row.peer}`}>
        {row.user !== '' && <b>{row.user} </b>}
        {row.peer}
      </td>
      <td class="id mono">
        <a
          href={href('connections', { ...params, open: row.id, mark: '' })}
          onClick={(event) => event.stopPropagation()}
        >
          {neverOpened ? 'details' : row.id.slice(0, 8)}
        </a>
      </td>
      <td class="age num mono" title={row.openedSeen ? `opened ${opened}` : `seen since ${opened}`}>
        {row.openedSeen ? '' : '≥ '}
        {neverOpened ? '' : age((row.state === 'open' ? now : row.closed) - row.opened)}
      </td>
      <Traffic row={row} messages={row.received} size={row.bytesReceived} />
      <Traffic row={row} messages={row.sent} size={row.bytesSent} />
      <td class={`undelivered num mono ${row.undelivered > 0 ? 'bad' : ''}`}>{exact(row.undelivered)}</td>
      <td class="rtt num mono">{!neverOpened && <Rtt row={row} />}</td>
      <td class="buffered num mono">{!neverOpened && <Buffered row={row} />}</td>
      <td class={`errors num mono ${row.errors > 0 ? 'bad' : ''}`}>{exact(row.errors)}</td>
      <td class="close" title={row.closeReason}>
        <CloseText row={row} />
      </td>
    </tr>
  )
}

function Rtt({ row }: { readonly row: ConnectionRow }) {
  if (row.rtt !== null) return <>{duration(row.rtt * 1000)}</>
  if (row.routeRtt === null) return <Unknown />
  return (
    <span
      class="muted"
      title="Median of the last five minutes over this route, from its metrics: no span of this connection says its own"
    >
      ≈ {duration(row.routeRtt * 1000)}
    </span>
  )
}

function Buffered({ row }: { readonly row: ConnectionRow }) {
  if (row.buffered !== null) return <>{bytes(row.buffered)}</>
  if (row.routeBuffered === null) return <Unknown />
  if (row.routeBuffered === 0) return <>{bytes(0)}</>
  return (
    <span
      class="muted"
      title="At most what all connections of this route together have waiting, from its metrics: no span of this connection says its own"
    >
      ≤ {bytes(row.routeBuffered)}
    </span>
  )
}

function Unknown() {
  return (
    <span class="muted" title="Neither a span of this connection nor a metric of its route says it">
      –
    </span>
  )
}

interface TrafficProps {
  readonly row: ConnectionRow
  readonly messages: number
  readonly size: number
}

function Traffic({ row, messages, size }: TrafficProps) {
  if (hasNeverOpened(row)) return <td class="traffic" />
  const open = row.state === 'open'
  const note = open
    ? 'So far: messages by the highest sequence number seen; bytes are those of the messages with a span, so there may be more. Exact once it is closed.'
    : `${exact(messages)} messages, ${exact(size)} bytes`
  return (
    <td class="traffic num mono" title={note}>
      {count(messages)}{' '}
      <span class="muted size">
        {open && size > 0 ? '≥ ' : ''}
        {bytes(size)}
      </span>
    </td>
  )
}
