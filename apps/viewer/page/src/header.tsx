import { count, exact } from '../../src/format.ts'
import type { Status } from '../../src/wire.ts'
import icon from '../icon.svg'
import type { Live } from './live.ts'
import { href, type Route, scopeOf, type View, views } from './route.ts'
import type { Theme } from './theme.ts'

export const titles: Readonly<Record<View, string>> = {
  traces: 'Traces',
  connections: 'Connections',
  sessions: 'Sessions',
  logs: 'Logs',
  metrics: 'Metrics',
}
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
  readonly onFile: () => void
  readonly onTheme: () => void
  readonly onHelp: () => void
}

export function Header(props: Props) {
  const { route, status, state, paused, theme } = props
  const counts: Readonly<Record<View, number | undefined>> = {
    traces: status?.traces,
    connections: status?.connections,
    // How many they are depends on the attribute that makes them.
    sessions: undefined,
    logs: status?.logs,
    metrics: status?.series,
  }
  return (
    <header>
      <h1 class="brand">
        <img src={icon} alt="" width="22" height="22" />
        otel-ws
      </h1>
      <nav aria-label="Views">
        {views.map((view, index) => (
          <a
            key={view}
            href={href(view, scopeOf(route.params))}
            aria-current={route.view === view ? 'page' : undefined}
            title={`Key ${index + 1}`}
          >
            {titles[view]} {counts[view] !== undefined && <span class="pill">{count(counts[view])}</span>}
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
      <button type="button" onClick={props.onPause} aria-pressed={paused} title="Key p">
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" onClick={props.onFile} title="Save everything to a file, or open one">
        File
      </button>
      <button type="button" onClick={props.onClear} title="Forget everything received so far">
        Clear
      </button>
      <button type="button" onClick={props.onTheme} title="Key t" aria-label="Switch between dark and light">
        {theme === 'dark' ? 'Light' : 'Dark'}
      </button>
      <button type="button" onClick={props.onHelp} title="Key ?" aria-label="Keyboard and help">
        ?
      </button>
    </header>
  )
}
