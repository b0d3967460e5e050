import { count, exact } from '../../src/format.ts'
import type { Status } from '../../src/wire.ts'
import icon from '../icon.svg'
import type { Live } from './live.ts'
import { href, type Route, type View, views } from './route.ts'
import type { Theme } from './theme.ts'

const titles: Readonly<Record<View, string>> = { traces: 'Traces', connections: 'Connections', metrics: 'Metrics' }
const states: Readonly<Record<Live['state'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused',
  lost: 'Connection lost, retrying',
}

interface Props {
  readonly route: Route
  readonly status: Status | undefined
  readonly state: Live['state']
  readonly paused: boolean
  readonly theme: Theme
  readonly onPause: () => void
  readonly onClear: () => void
  readonly onTheme: () => void
  readonly onHelp: () => void
}

export function Header({ route, status, state, paused, theme, onPause, onClear, onTheme, onHelp }: Props) {
  const counts: Readonly<Record<View, number>> = {
    traces: status?.traces ?? 0,
    connections: status?.connections ?? 0,
    metrics: status?.series ?? 0,
  }
  return (
    <header>
      <span class="brand">
        <img src={icon} alt="" width="22" height="22" />
        otel-ws
      </span>
      <nav aria-label="Views">
        {views.map((view, index) => (
          <a
            key={view}
            href={href(view)}
            aria-current={route.view === view ? 'page' : undefined}
            title={`Key ${index + 1}`}
          >
            {titles[view]} <span class="pill">{count(counts[view])}</span>
          </a>
        ))}
      </nav>
      <span class="grow" />
      <span class={`state ${state}`} role="status">
        {states[state]}
      </span>
      <span class="rate" title="Spans received per second, over the last five seconds">
        {exact(status?.rate ?? 0)} spans/s
      </span>
      <button type="button" onClick={onPause} aria-pressed={paused} title="Key p">
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" onClick={onClear} title="Forget everything received so far">
        Clear
      </button>
      <button type="button" onClick={onTheme} title="Key t" aria-label="Switch between dark and light">
        {theme === 'dark' ? 'Light' : 'Dark'}
      </button>
      <button type="button" onClick={onHelp} title="Key ?" aria-label="Keyboard and help">
        ?
      </button>
    </header>
  )
}
