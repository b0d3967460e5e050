import { Dialog } from './dialog.tsx'

const keys: readonly (readonly [string, string])[] = [
  ['1 2 3 4 5', 'Traces, Connections, Sessions, Logs, Metrics'],
  ['↑ ↓ or j k', 'Move along the list and open'],
  ['[ ]', 'Previous and next span of the open trace'],
  ['e', 'Next span in error of the open trace'],
  ['f', 'Find within the open trace'],
  ['← →', 'Previous and next mark of the open connection; fold and unfold a span'],
  ['Enter', 'From a mark to its trace; into an open trace, to its links'],
  ['+ − 0', 'Zoom the timeline in, out, and back to the whole'],
  ['/', 'Search'],
  ['Esc', 'Close what is open'],
  ['p', 'Pause and resume'],
  ['t', 'Dark and light'],
]

const terms: readonly (readonly [string, string])[] = [
  ['timeout', 'Any text that is shown, in capital letters or small ones'],
  ['4bf92f35', 'The start of an id, four digits or more'],
  ['user.id=ada', 'An attribute of a span, event or resource; also name, service, node, route, operation, error …'],
  ['user.id!=ada', 'The attribute with another value; key=* asks for the key alone'],
  ['duration>100ms', 'Numbers with <, <=, >, >=, and units such as ms, s, KiB, MiB'],
  ['-heartbeat', 'What must not be there'],
  ['"not found"', 'Words in a row'],
]

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard and search" onClose={onClose}>
      <Terms rows={keys} />
      <h3>Search</h3>
      <Terms rows={terms} />
      <p class="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  )
}

function Terms({ rows }: { readonly rows: typeof keys }) {
  return (
    <dl class="keys">
      {rows.map(([key, action]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{action}</dd>
        </div>
      ))}
    </dl>
  )
}
