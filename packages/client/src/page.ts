import type { ClientConnection } from '@otel-ws/core/client'

interface Page {
  addEventListener(type: string, listener: () => void): void
  readonly document?: { readonly visibilityState?: string } & Page
}

const live = new Set<ClientConnection>()

/** The page is unloaded: its connections close with it, and no close event follows. */
function onPageHide(): void {
  const connections = [...live]
  for (const connection of connections) {
    connection.closeFrameSent(1001)
    connection.close({})
  }
  flush(connections)
}

/** A page that is hidden may never be shown again. */
function onVisibilityChange(): void {
  if (page.document?.visibilityState === 'hidden') flush(live)
}

function flush(connections: Iterable<ClientConnection>): void {
  for (const { telemetry } of connections) telemetry.flush()
}

const page = globalThis as unknown as Page

/** Records and exports the close of a connection when its page is unloaded. Does nothing outside of pages. */
export function watchPage(connection: ClientConnection): void {
  const { document } = page
  if (document === undefined) return
  // The same listener is registered once, however often.
  page.addEventListener('pagehide', onPageHide)
  document.addEventListener('visibilitychange', onVisibilityChange)
  live.add(connection)
  connection.onEnded = () => live.delete(connection)
}
