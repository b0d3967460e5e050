import { bytes, exact, plural } from '../../src/format.ts'
import type { Status } from '../../src/wire.ts'

/** What is kept, and what is not: a viewer that drops silently would lie. */
export function StatusBar({ status }: { readonly status: Status | undefined }) {
  if (status === undefined) return <footer />
  const full = status.dropped > 0
  return (
    <footer>
      <span>
        Receiving OTLP/HTTP on <code>{status.endpoint}</code>
      </span>
      <span class={full ? 'warn' : ''} data-testid="kept">
        {exact(status.spans)} of {plural(status.received, 'span')} kept
        {full &&
          `: full, the oldest ${exact(status.dropped)} were dropped (room for ${exact(status.maxSpans)} spans, ${bytes(status.maxBytes)})`}
      </span>
      {status.connectionsDropped > 0 && (
        <span class="warn">{plural(status.connectionsDropped, 'old connection')} dropped</span>
      )}
      {status.seriesDropped > 0 && (
        <span class="warn">{plural(status.seriesDropped, 'old metric series')} dropped</span>
      )}
      {status.invalid > 0 && <span class="warn">{exact(status.invalid)} invalid spans or points left out</span>}
      {status.refused > 0 && (
        <span class="bad" title={status.refusal} data-testid="refused">
          {plural(status.refused, 'request')} refused: {status.refusal}
        </span>
      )}
    </footer>
  )
}
