import { age, exact, moment, plural } from '../../src/format.ts'
import type { SessionConnection, SessionDetail } from '../../src/wire.ts'
import { CopyButton } from './copy-button.tsx'
import { quoted } from './highlight-cards.ts'
import { href, step } from './route.ts'

interface Props {
  readonly value: string
  readonly by: string
  /** Null when no connection has the value, undefined until the answer is here. */
  readonly detail: SessionDetail | null | undefined
}

/** One session over its reconnects: its connections on one time axis, and the times without any. */
export function SessionPane({ value, by, detail }: Props) {
  const search = `${by}=${quoted(value)}`
  return (
    <section class="pane" aria-label="Session">
      <div class="pane-head">
        <div>
          <h2>
            {value} <small class="muted">{by}</small>
          </h2>
          {detail && (
            <p class="sub">
              <span>{plural(detail.row.connections, 'connection')}</span>
              <span>
                {exact(detail.row.received)} in, {exact(detail.row.sent)} out
              </span>
              {detail.row.undelivered > 0 && <span class="bad">{exact(detail.row.undelivered)} undelivered</span>}
              {detail.row.away > 0 && <span>away for {age(detail.row.away)} in between</span>}
              <a href={href('connections', { q: search })}>its connections →</a>
              <a href={href('traces', { q: search })}>its traces →</a>
              <a href={href('logs', { q: search })}>its logs →</a>
            </p>
          )}
        </div>
        <div class="pane-actions">
          <CopyButton text={() => location.href} label="Copy a link to this session">
            Link
          </CopyButton>
          <button type="button" onClick={() => step({ open: '' })} aria-label="Close the session" title="Key Esc">
            ×
          </button>
        </div>
      </div>
      {detail === null && <p class="nothing">No connection that is kept has this value.</p>}
      {detail && <Lives detail={detail} />}
    </section>
  )
}

function Lives({ detail: { row, connections, omitted } }: { readonly detail: SessionDetail }) {
  const length = Math.max(row.lastSeen - row.firstSeen, 1)
  const share = (time: number) => Math.min(100, Math.max(0, ((time - row.firstSeen) / length) * 100))
  return (
    <div class="scroll">
      <table class="lives">
        <thead>
          <tr>
            <th class="id">Connection</th>
            <th class="opened num">Opened</th>
            <th class="life">
              <span class="ends">
                <span>{moment(row.firstSeen).slice(11, 19)}</span>
                <span>{moment(row.lastSeen).slice(11, 19)}</span>
              </span>
            </th>
            <th class="num">In</th>
            <th class="num">Out</th>
            <th class="num">Undelivered</th>
            <th class="close">Close</th>
          </tr>
        </thead>
        <tbody>
          {[...connections].reverse().map((one) => (
            <tr key={one.id} class={one.dropped ? 'error' : ''}>
              <td class="id mono">
                <a href={href('connections', { open: one.id })}>{one.id.slice(0, 8)}</a>{' '}
                <span class="muted">{one.route}</span>
              </td>
              <td class="opened num mono">{moment(one.opened).slice(11, 23)}</td>
              <td class="life">
                <span
                  class={`life-bar ${stateOf(one)}`}
                  title={`${stateOf(one)}, ${age(one.ended - one.opened)}`}
                  style={{
                    left: `${share(one.opened)}%`,
                    width: `${Math.max(share(one.ended) - share(one.opened), 0.4)}%`,
                  }}
                />
              </td>
              <td class="num mono">{exact(one.received)}</td>
              <td class="num mono">{exact(one.sent)}</td>
              <td class={`num mono ${one.undelivered > 0 ? 'bad' : ''}`}>{exact(one.undelivered)}</td>
              <td class="close">{one.state === 'open' ? 'open' : one.close || one.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {omitted > 0 && <p class="nothing">{exact(omitted)} older connections are not shown.</p>}
    </div>
  )
}

function stateOf({ state, dropped }: SessionConnection): string {
  return dropped ? 'dropped' : state
}
