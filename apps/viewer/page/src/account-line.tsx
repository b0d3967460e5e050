import { exact, plural } from '../../src/format.ts'
import type { Account, ConnectionRow, Gap } from '../../src/wire.ts'
import { href } from './route.ts'

interface Props {
  readonly direction: Gap['direction']
  readonly account: Account
  readonly gaps: readonly Gap[]
  readonly row: ConnectionRow
}

/** Where all messages of one direction are: those that are listed, and why the others are not. */
export function AccountLine({ direction, account, gaps, row }: Props) {
  const { total, listed } = account
  if (total === listed) return null
  const parts = reasonsOf(account)
  const own = gaps.filter((gap) => gap.direction === direction)
  const broadcasts = broadcastSearch(row, own)
  return (
    <p class={`account ${account.unexplained > 0 ? 'warn' : ''}`} data-testid={`account-${direction}`}>
      <span>
        {exact(listed)} of {plural(total, 'message')} {direction} {listed === 1 ? 'is' : 'are'} listed
      </span>
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
      {direction === 'sent' && broadcasts !== '' && (
        <a href={broadcasts} title="Broadcasts of this service in the time of the gaps">
          broadcasts of that time →
        </a>
      )}
    </p>
  )
}

/** Why messages have no mark, in words with their number. */
export function reasonsOf({
  broadcast,
  unrecorded,
  evicted,
  unexplained,
}: Omit<Account, 'total' | 'listed'>): string[] {
  return [
    broadcast > 0 ? `${plural(broadcast, 'member')} of broadcasts, which have no span each` : '',
    unrecorded > 0 ? `${exact(unrecorded)} sampled out or over budget` : '',
    evicted > 0 ? `${exact(evicted)} dropped here to make room` : '',
    unexplained > 0
      ? `${exact(unexplained)} without a span, and no span says why: broadcast, sampled out, over budget or not exported`
      : '',
  ].filter(Boolean)
}

/** Address of the broadcasts of the connection's service between its first and its last gap; empty without a gap. */
export function broadcastSearch({ service, route }: ConnectionRow, gaps: readonly Gap[]): string {
  const sent = gaps.filter((gap) => gap.direction === 'sent' && gap.broadcast + gap.unexplained > 0)
  if (sent.length === 0) return ''
  const from = Math.floor(Math.min(...sent.map((gap) => gap.from)))
  const to = Math.ceil(Math.max(...sent.map((gap) => gap.to)))
  return href('traces', { q: 'websocket.broadcast.recipients>0', service, route, from: String(from), to: String(to) })
}
