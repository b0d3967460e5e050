import { age, bytes, count, duration, exact, moment } from '../../src/format.ts'
import type { ConnectionRow } from '../../src/wire.ts'
import { ConnectionPane } from './connection-pane.tsx'
import { CloseText, hasNeverOpened, StateTag } from './connection-state.tsx'
import { choices, Search, Select } from './controls.tsx'
import { intoView } from './into-view.ts'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { nodeName } from './node-name.ts'
import { href, step } from './route.ts'

interface Props {
  readonly params: Readonly<Record<string, string>>
  readonly live: Live
}

export function ConnectionsView({ params, live: { data, answered, busy, marks } }: Props) {
  const { open = '', q = '', route = '', state = '', sort = '' } = params
  const now = data.now ?? Date.now()
  const severalNodes = data.connections?.severalNodes === true
  return (
    <ListView
      noun="connections"
      latest={data.connections}
      answered={answered}
      busy={busy}
      open={open}
      selection="mark"
      filters={(list) => (
        <>
          <Search value={q} placeholder="Id, route, peer, user, node, close reason" />
          <Select label="Route" name="route" value={route} options={choices('all routes', list?.routes)} />
          <Select label="State" name="state" value={state} options={STATES} />
          <Select label="Order" name="sort" value={sort} options={ORDERS} />
        </>
      )}
      facts={(list) => <>, {count(list.open)} open</>}
      columns={
        <>
          <th>State</th>
          <th>Route</th>
          {severalNodes && <th>Node</th>}
          <th>Peer</th>
          <th>Id</th>
          <th class="num">Age</th>
          <th class="num">Received</th>
          <th class="num">Sent</th>
          <th class="num">Last RTT</th>
          <th class="num">Buffered</th>
          <th class="num">Errors</th>
          <th>Close</th>
        </>
      }
      row={(row) => <Row key={row.id} row={row} now={now} params={params} severalNodes={severalNodes} />}
      empty={<p>Connections appear with their first span. Spans of otel-ws carry a connection id.</p>}
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
] as const

const ORDERS = [
  ['', 'newest first'],
  ['messages', 'most messages'],
  ['bytes', 'most bytes'],
  ['errors', 'most errors'],
] as const

interface RowProps {
  readonly row: ConnectionRow
  readonly now: number
  readonly params: Readonly<Record<string, string>>
  readonly severalNodes: boolean
}

function Row({ row, now, params, severalNodes }: RowProps) {
  const opened = moment(row.opened)
  const neverOpened = hasNeverOpened(row)
  return (
    <tr
      class={row.dropped || row.state === 'rejected' || row.state === 'failed' ? 'error' : ''}
      ref={params.open === row.id ? intoView : null}
      aria-selected={params.open === row.id}
      onClick={() => step({ open: row.id, mark: '' })}
    >
      <td>
        <StateTag row={row} />
      </td>
      <td class="route">
        {row.route}
        {row.subprotocol !== '' && <span class="muted"> {row.subprotocol}</span>}
        {row.ofClient && <span class="muted"> client</span>}
      </td>
      {severalNodes && <td title={row.service}>{nodeName(row.service, row.instance)}</td>}
      <td class="mono peer">
        {row.user !== '' && <b>{row.user} </b>}
        {row.peer}
      </td>
      <td class="mono">
        <a
          href={href('connections', { ...params, open: row.id, mark: '' })}
          onClick={(event) => event.stopPropagation()}
        >
          {neverOpened ? 'details' : row.id.slice(0, 8)}
        </a>
      </td>
      <td class="num mono" title={row.openedSeen ? `opened ${opened}` : `seen since ${opened}`}>
        {row.openedSeen ? '' : '≥ '}
        {neverOpened ? '' : age((row.state === 'open' ? now : row.closed) - row.opened)}
      </td>
      <Traffic row={row} messages={row.received} size={row.bytesReceived} />
      <Traffic row={row} messages={row.sent} size={row.bytesSent} />
      <td class="num mono">{!neverOpened && <Rtt row={row} />}</td>
      <td class="num mono">{!neverOpened && <Buffered row={row} />}</td>
      <td class={`num mono ${row.errors > 0 ? 'bad' : ''}`}>{row.errors}</td>
      <td class="close" title={row.closeReason}>
        <CloseText row={row} />
      </td>
    </tr>
  )
}

function Rtt({ row }: { readonly row: ConnectionRow }) {
  if (row.rtt !== null) return <>{duration(row.rtt * 1000)}</>
  if (row.routeRtt === null) return <Untold />
  return (
    <span
      class="muted"
      title="Median of the last five minutes over this route, from its metrics: no span of this connection tells its own"
    >
      ≈ {duration(row.routeRtt * 1000)}
    </span>
  )
}

function Buffered({ row }: { readonly row: ConnectionRow }) {
  if (row.buffered !== null) return <>{bytes(row.buffered)}</>
  if (row.routeBuffered === null) return <Untold />
  if (row.routeBuffered === 0) return <>{bytes(0)}</>
  return (
    <span
      class="muted"
      title="At most what all connections of this route have waiting, from its metrics: no span of this connection tells its own"
    >
      ≤ {bytes(row.routeBuffered)}
    </span>
  )
}

function Untold() {
  return (
    <span class="muted" title="Neither a span of this connection nor a metric of its route tells it">
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
  if (hasNeverOpened(row)) return <td />
  const note =
    row.state === 'open'
      ? 'So far: messages by the sequence numbers seen, bytes of the messages seen. Exact once it is closed.'
      : `${exact(messages)} messages, ${exact(size)} bytes`
  return (
    <td class="num mono" title={note}>
      {count(messages)} <span class="muted size">{bytes(size)}</span>
    </td>
  )
}
