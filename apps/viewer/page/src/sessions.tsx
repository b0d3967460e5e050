import { age, count, exact, moment } from '../../src/format.ts'
import type { SessionRow } from '../../src/wire.ts'
import { Select } from './controls.tsx'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { href, type Params, step } from './route.ts'
import { SessionPane } from './session-pane.tsx'

interface Props {
  readonly params: Params
  readonly live: Live
}

/** Connections put together by an attribute: one user, say, over all reconnects. */
export function SessionsView({ params, live: { data, answered, busy } }: Props) {
  const { open = '', by = '' } = params
  const keys = (data.sessions?.keys ?? []).filter((key) => key !== 'user.id')
  return (
    <ListView
      noun="sessions"
      params={params}
      latest={data.sessions}
      answered={answered}
      busy={busy}
      open={open}
      selection="mark"
      filters={() => (
        <Select
          label="By"
          name="by"
          value={by}
          options={[['', 'user.id'], ...keys.map((key) => [key, key] as const)]}
        />
      )}
      facts={(list) => <>, {count(list.connections)} connections</>}
      columns={
        <>
          <th class="name">{by || 'user.id'}</th>
          <th class="routes">Routes</th>
          <th class="num">Connections</th>
          <th class="num">Open</th>
          <th class="num">Dropped</th>
          <th class="num">Away</th>
          <th class="num">Received</th>
          <th class="num">Sent</th>
          <th class="num">Undelivered</th>
          <th class="num">Errors</th>
          <th class="num">Last seen</th>
        </>
      }
      row={(row) => <Row key={row.id} row={row} params={params} />}
      empty={
        <>
          <h2>No connection carries this attribute</h2>
          <p>
            Sessions are connections that share the value of an attribute. Set it where the user is known:{' '}
            <code>connectionOf(socket).setAttribute('user.id', …)</code>, or choose another attribute above.
          </p>
        </>
      }
      layout="stack"
      pane={<SessionPane key={open} value={open} by={by || 'user.id'} detail={data.session} />}
    />
  )
}

function Row({ row, params }: { readonly row: SessionRow; readonly params: Params }) {
  const number = (value: number, bad = false) => (
    <td class={`num mono ${bad && value > 0 ? 'bad' : ''}`}>{exact(value)}</td>
  )
  return (
    <tr
      class={row.dropped > 0 || row.undelivered > 0 ? 'error' : ''}
      aria-selected={params.open === row.id}
      onClick={() => step({ open: row.id })}
    >
      <td class="name">
        <a href={href('sessions', { ...params, open: row.id })} onClick={(event) => event.stopPropagation()}>
          {row.id}
        </a>
      </td>
      <td class="routes route">{row.routes.join(', ')}</td>
      {number(row.connections)}
      {number(row.open)}
      {number(row.dropped, true)}
      <td class="num mono" title="Without any connection, between the first and the last one">
        {row.away > 0 ? age(row.away) : ''}
      </td>
      {number(row.received)}
      {number(row.sent)}
      {number(row.undelivered, true)}
      {number(row.errors, true)}
      <td class="num mono">{moment(row.lastSeen).slice(11, 19)}</td>
    </tr>
  )
}
