import { exact } from '../../src/format.ts'
import type { Status } from '../../src/wire.ts'
import { Dialog } from './dialog.tsx'

interface Props {
  readonly status: Status | undefined
  readonly onClear: () => void
  readonly onClose: () => void
}

/** Asks before everything is forgotten, for everyone who has the viewer open. */
export function ClearDialog({ status, onClear, onClose }: Props) {
  return (
    <Dialog title="Forget everything?" onClose={onClose}>
      <p>
        {exact(status?.spans ?? 0)} spans, {exact(status?.connections ?? 0)} connections, {exact(status?.logs ?? 0)} log
        records and all metrics go, for everyone who has this viewer open
        {status?.storeFile ? ', and from the store file' : ''}.
      </p>
      <p class="actions">
        <button type="button" class="danger" onClick={onClear}>
          Forget everything
        </button>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
      </p>
    </Dialog>
  )
}
