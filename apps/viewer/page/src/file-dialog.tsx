import { useState } from 'preact/hooks'
import { exact, plural } from '../../src/format.ts'
import { Dialog } from './dialog.tsx'

/** Saves everything to a file of OTLP/JSON, and opens such a file. */
export function FileDialog({ onClose }: { readonly onClose: () => void }) {
  const [outcome, setOutcome] = useState('')
  const open = async (file: File | undefined) => {
    if (file === undefined) return
    setOutcome('Reading…')
    try {
      const answer = await fetch('api/import', { method: 'POST', body: file })
      if (!answer.ok) return setOutcome(`Not opened: ${(await answer.text()).trim()}`)
      const { requests, rejected } = (await answer.json()) as { requests: number; rejected: number }
      const left = rejected === 0 ? '' : `, ${exact(rejected)} records left out as invalid`
      setOutcome(`Opened: ${plural(requests, 'export request')}${left}.`)
    } catch {
      setOutcome('Not opened: the viewer cannot be reached.')
    }
  }
  return (
    <Dialog title="Save and open" onClose={onClose}>
      <p>
        <a class="button" href="api/export" download="otel-ws-viewer.jsonl">
          Save everything as OTLP/JSON
        </a>
      </p>
      <p>
        <label>
          Open a file of OTLP/JSON, as this viewer or a Collector writes it:{' '}
          <input
            type="file"
            accept=".json,.jsonl,.ndjson,application/json"
            onChange={({ currentTarget }) => void open(currentTarget.files?.[0])}
          />
        </label>
      </p>
      <p role="status">{outcome}</p>
      <p class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  )
}
