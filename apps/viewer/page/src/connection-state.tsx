import type { ConnectionRow } from '../../src/wire.ts'

/** Whether the attempt to connect came to nothing. */
export function hasNeverOpened({ state }: ConnectionRow): boolean {
  return state === 'rejected' || state === 'abandoned' || state === 'failed'
}

/** The state of a connection as a small label; `dropped` is a close that was not an ordinary one. */
export function StateTag({ row }: { readonly row: ConnectionRow }) {
  const state = row.dropped ? 'dropped' : row.state
  return <span class={`state-tag ${state}`}>{state}</span>
}

/** What ended a connection, or why it never opened; nothing while it is open. */
export function CloseText({ row }: { readonly row: ConnectionRow }) {
  if (row.state === 'open') return null
  if (hasNeverOpened(row)) {
    const why = [row.status > 0 ? String(row.status) : '', row.errorType === String(row.status) ? '' : row.errorType]
    return <>{why.filter(Boolean).join(' ')}</>
  }
  return (
    <>
      <strong>{row.closeCategory}</strong> {row.closeCode}
      {row.closeInitiator !== '' && <span class="muted"> by {row.closeInitiator}</span>}
      {row.closeReason !== '' && <span> “{row.closeReason}”</span>}
      {![row.closeCategory, String(row.closeCode)].includes(row.errorType) && (
        <span class="error-text">{row.errorType}</span>
      )}
    </>
  )
}
