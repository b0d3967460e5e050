import { useEffect, useState } from 'preact/hooks'
import type { Update } from '../../src/wire.ts'
import { ClearDialog } from './clear-dialog.tsx'
import { ConnectionsView } from './connections.tsx'
import { FileDialog } from './file-dialog.tsx'
import { Header, titles } from './header.tsx'
import { Help } from './help.tsx'
import { HighlightStrip } from './highlight-strip.tsx'
import { useKeys } from './keyboard.ts'
import { useLive } from './live.ts'
import { LogsView } from './logs.tsx'
import { MetricsView } from './metrics.tsx'
import { type Route, switchTo, useRoute, views } from './route.ts'
import { ScopeBar } from './scope-bar.tsx'
import { SessionsView } from './sessions.tsx'
import { StatusBar } from './status-bar.tsx'
import { currentTheme, toggleTheme } from './theme.ts'
import { TracesView } from './traces.tsx'

export function App() {
  const route = useRoute()
  const [paused, setPaused] = useState(false)
  const [theme, setTheme] = useState(currentTheme)
  const [dialog, setDialog] = useState<'' | 'help' | 'clear' | 'file'>('')
  const live = useLive(route, paused)
  const { data } = live
  const close = () => setDialog('')
  const clear = () => {
    // What is cleared should be seen to be gone.
    setPaused(false)
    close()
    void fetch('api/clear', { method: 'POST' })
  }
  const title = titleOf(route, data)
  useEffect(() => {
    document.title = title
  }, [title])
  useKeys({
    ...Object.fromEntries(views.map((view, index) => [String(index + 1), () => switchTo(view)])),
    p: () => setPaused(!paused),
    t: () => setTheme(toggleTheme()),
    '/': () => document.querySelector<HTMLInputElement>('.scope input[type=search]')?.focus(),
    '?': () => setDialog('help'),
  })
  return (
    <div class="app">
      <Header
        route={route}
        status={data.status}
        state={live.state}
        paused={paused}
        theme={theme}
        onPause={() => setPaused(!paused)}
        onClear={() => setDialog('clear')}
        onFile={() => setDialog('file')}
        onTheme={() => setTheme(toggleTheme())}
        onHelp={() => setDialog('help')}
      />
      <ScopeBar route={route} status={data.status} />
      <HighlightStrip highlights={data.highlights} params={route.params} />
      <main>
        {route.view === 'traces' && <TracesView params={route.params} live={live} />}
        {route.view === 'connections' && <ConnectionsView params={route.params} live={live} />}
        {route.view === 'sessions' && <SessionsView params={route.params} live={live} />}
        {route.view === 'logs' && <LogsView params={route.params} live={live} />}
        {route.view === 'metrics' && <MetricsView params={route.params} data={data} theme={theme} />}
      </main>
      <StatusBar status={data.status} />
      {dialog === 'help' && <Help onClose={close} />}
      {dialog === 'clear' && <ClearDialog status={data.status} onClear={clear} onClose={close} />}
      {dialog === 'file' && <FileDialog onClose={close} />}
    </div>
  )
}

/** Names what is shown, so that tabs, bookmarks and the history can be kept apart. */
function titleOf({ view, params: { open = '', q = '' } }: Route, data: Partial<Update>): string {
  const opened =
    open === ''
      ? ''
      : view === 'traces'
        ? (data.trace?.spans[0]?.name ?? open.slice(0, 8))
        : view === 'sessions'
          ? open
          : `${data.connection?.row.route ?? ''} ${open.slice(0, 8)}`.trim()
  return [opened, titles[view], q, 'otel-ws viewer'].filter(Boolean).join(' · ')
}
