const key = 'otel-ws-viewer.theme'

export type Theme = 'dark' | 'light'

const system = matchMedia('(prefers-color-scheme: light)')

function chosen(): Theme | undefined {
  const stored = localStorage.getItem(key)
  return stored === 'dark' || stored === 'light' ? stored : undefined
}

/** The theme in use: the one chosen here, else the system's. */
export function currentTheme(): Theme {
  return chosen() ?? (system.matches ? 'light' : 'dark')
}

/** Puts the theme in use on the document, and keeps it in step with the system until one is chosen. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = currentTheme()
  }
  apply()
  system.addEventListener('change', apply)
}

/** Chooses the other theme, for this browser. */
export function toggleTheme(): Theme {
  const next = currentTheme() === 'dark' ? 'light' : 'dark'
  localStorage.setItem(key, next)
  document.documentElement.dataset.theme = next
  return next
}
