import { clock, duration, exact, moment } from '../../src/format.ts'
import type { LogRow } from '../../src/wire.ts'
import { href } from './route.ts'

interface Props {
  readonly logs: readonly LogRow[]
  /** How many there are, of which the newest are here. */
  readonly count: number
  /** What times are counted from, epoch milliseconds; undefined for times of day. */
  readonly since?: number
  readonly title?: string
}

/** Log records in the order of time: of a trace, a span or a connection. */
export function LogLines({ logs, count, since, title = 'Logs' }: Props) {
  if (count === 0) return null
  const sorted = [...logs].sort((a, b) => a.time - b.time)
  return (
    <section class="log-lines" aria-label={title}>
      <h3 class="part">
        {title} <small>{exact(count)}</small>
        {count > logs.length && <small>, the newest {exact(logs.length)} shown</small>}
      </h3>
      <ul>
        {sorted.map((log) => (
          <li key={log.id} class={log.level}>
            <time title={moment(log.time)}>
              {since === undefined
                ? clock(log.time)
                : `${log.time < since ? '−' : '+'}${duration(Math.abs(log.time - since))}`}
            </time>
            <LevelTag log={log} />
            <a href={href('logs', { open: log.id, q: log.traceId === '' ? '' : `trace=${log.traceId}` })}>
              {bodyOf(log)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function LevelTag({ log }: { readonly log: LogRow }) {
  return (
    <span class={`level ${log.level}`} title={`Severity ${log.severityText || log.level}`}>
      {log.level}
    </span>
  )
}

/** What a record says: its body, else the name of its event, else its attributes. */
export function bodyOf(log: LogRow): string {
  return log.body || log.eventName || log.attributes.map(([key, value]) => `${key}=${value}`).join(' ') || '(empty)'
}
