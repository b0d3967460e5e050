import { useState } from 'preact/hooks'
import { ConnectionsView } from './connections.tsx'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { HighlightStrip } from './highlight-strip.tsx'
import { useKeys } from './keyboard.ts'
import { useLive } from './live.ts'
import { MetricsView } from './metrics.tsx'
import { go, useRoute } from './route.ts'
import { StatusBar } from './status-bar.tsx'
import { currentTheme, toggleTheme } from './theme.ts'
import { TracesView } from './traces.tsx'

export function App() {
  const route = useRoute()
  const [paused, setPaused] = useState(false)
  const [theme, setTheme] = useState(currentTheme)
  const [help, setHelp] = useState(false)
  const live = useLive(route, paused)
  const { data } = live
  const clear = () => {
    // What is cleared should be seen to be gone.
    setPaused(false)
    void fetch('api/clear', { method: 'POST' })
  }
  useKeys({
    1: () => go('traces'),
    2: () => go('connections'),
    3: () => go('metrics'),
    p: () => setPaused(!paused),
    t: () => setTheme(toggleTheme()),
    '/': () => document.querySelector<HTMLInputElement>('input[type=search]')?.focus(),
    '?': () => setHelp(true),
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
        onClear={clear}
        onTheme={() => setTheme(toggleTheme())}
        onHelp={() => setHelp(true)}
      />
      <HighlightStrip highlights={data.highlights} />
      <main>
        {route.view === 'traces' && <TracesView params={route.params} live={live} />}
        {route.view === 'connections' && <ConnectionsView params={route.params} live={live} />}
        {route.view === 'metrics' && <MetricsView params={route.params} data={data} theme={theme} />}
      </main>
      <StatusBar status={data.status} />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  )
}
