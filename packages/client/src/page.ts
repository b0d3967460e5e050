import type { ClientConnection } from '@otel-ws/core/client'

interface Page {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
  readonly document?: { readonly visibilityState?: string } & Page
}

const live = new Set<ClientConnection>()

/** The page goes away: its connections close with it, which nobody would be left to tell. */
function onPageHide(): void {
  for (const connection of live) connection.closing(1001)
  const telemetries = new Set([...live].map(({ telemetry }) => telemetry))
  for (const connection of live) connection.close({})
  for (const telemetry of telemetries) void telemetry.flush()
}

/** A page that is hidden may never be shown again. */
function onVisibilityChange(): void {
  if (page.document?.visibilityState !== 'hidden') return
  for (const { telemetry } of live) void telemetry.flush()
}

const page = globalThis as unknown as Page

/** Has a connection told and exported when its page goes away. Outside of pages it does nothing. */
export function watchPage(connection: ClientConnection): void {
  const { document } = page
  if (document === undefined) return
  if (live.size === 0) {
    page.addEventListener('pagehide', onPageHide)
    document.addEventListener('visibilitychange', onVisibilityChange)
  }
  live.add(connection)
  connection.onEnded = () => {
    live.delete(connection)
    if (live.size > 0) return
    page.removeEventListener('pagehide', onPageHide)
    document.removeEventListener('visibilitychange', onVisibilityChange)
  }
}
