import { useState } from 'preact/hooks'
import { bytes, exact, plural } from '../../src/format.ts'
import type { Status } from '../../src/wire.ts'
import { CopyButton } from './copy-button.tsx'
import { Dialog } from './dialog.tsx'

/** What is kept, and what is not: a viewer that drops silently would lie. */
export function StatusBar({ status }: { readonly status: Status | undefined }) {
  const [refusals, setRefusals] = useState(false)
  if (status === undefined) return <footer />
  const full = status.dropped > 0
  const losses = [
    [status.connectionsDropped, 'old connection'],
    [status.seriesDropped, 'old metric series'],
    [status.logsDropped, 'old log record'],
  ] as const
  return (
    <footer>
      <span>
        OTLP/HTTP on <code>{status.endpoint}</code>
        <CopyButton text={status.endpoint} label="Copy the endpoint" />
        {status.grpcEndpoint !== '' && (
          <>
            , gRPC on <code>{status.grpcEndpoint}</code>
          </>
        )}
      </span>
      {status.grpcProblem !== '' && <span class="warn">No gRPC: {status.grpcProblem}</span>}
      <span class={full ? 'warn' : ''} data-testid="kept">
        {exact(status.spans)} of {plural(status.received, 'span')} kept
        {full &&
          `: full, the oldest ${exact(status.dropped)} were dropped (room for ${exact(status.maxSpans)} spans, ${bytes(status.maxBytes)})`}
      </span>
      {status.storeFile !== '' && <span title={status.storeFile}>kept in a file</span>}
      {losses.map(([lost, noun]) => lost > 0 && <span key={noun} class="warn">{`${plural(lost, noun)} dropped`}</span>)}
      {status.doubled > 0 && <span class="warn">{plural(status.doubled, 'span')} with the id of another one</span>}
      {status.invalid > 0 && <span class="warn">{exact(status.invalid)} invalid records left out</span>}
      {status.refused > 0 && (
        <button
          type="button"
          class="plain bad"
          title={status.refusal}
          data-testid="refused"
          onClick={() => setRefusals(true)}
        >
          {plural(status.refused, 'request')} refused: {status.refusal}
        </button>
      )}
      {refusals && (
        <Dialog title="Refused requests" onClose={() => setRefusals(false)}>
          <p>What these requests carried is not shown anywhere.</p>
          <ul class="refusals">
            {status.refusals.map(({ what, count }) => (
              <li key={what}>
                <b>{exact(count)}</b> {what}
              </li>
            ))}
          </ul>
          <p class="actions">
            <button type="button" onClick={() => setRefusals(false)}>
              Close
            </button>
          </p>
        </Dialog>
      )}
    </footer>
  )
}
