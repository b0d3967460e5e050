import { useEffect, useRef } from 'preact/hooks'

const keys: readonly (readonly [string, string])[] = [
  ['1 2 3', 'Traces, Connections, Metrics'],
  ['↑ ↓ or j k', 'Move along the list and open'],
  ['[ ]', 'Previous and next span of the open trace'],
  ['← →', 'Previous and next mark of the open connection'],
  ['Enter', 'From a mark to its trace; into an open trace, to its links'],
  ['+ − 0', 'Zoom the timeline in, out, and back to the whole'],
  ['/', 'Filter'],
  ['Esc', 'Close what is open'],
  ['p', 'Pause and resume'],
  ['t', 'Dark and light'],
]

export function Help({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <dl class="keys">
        {keys.map(([key, action]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
      <h2>Filter</h2>
      <p>
        Words are looked for in the names of a trace’s spans. <code>key=value</code> looks for an attribute, such as{' '}
        <code>websocket.close.category=timeout</code>. The id of a trace or a connection finds what belongs to it.
      </p>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
