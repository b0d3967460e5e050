import { useState } from 'preact/hooks'

/** Milliseconds for which it says that it has copied. */
const said = 1500

interface Props {
  /** What is copied, or makes it. */
  readonly text: string | (() => string)
  /** What it is called to those who cannot see it. */
  readonly label: string
  readonly children?: string
}

/** Two sheets, one behind the other. */
function Sheets() {
  return (
    <svg width="11" height="11" viewBox="0 0 11 11" aria-hidden="true">
      <path d="M3.5 3.5v-3h7v7h-3M.5 3.5h7v7h-7z" fill="none" stroke="currentColor" />
    </svg>
  )
}

/** Copies a text to the clipboard. */
export function CopyButton({ text, label, children }: Props) {
  const [state, setState] = useState<'' | 'copied' | 'failed'>('')
  const copy = async (event: MouseEvent) => {
    event.stopPropagation()
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text())
      setState('copied')
    } catch {
      setState('failed')
    }
    setTimeout(() => setState(''), said)
  }
  return (
    <button type="button" class="copy" aria-label={label} title={label} onClick={copy}>
      {state === 'copied' ? 'copied' : state === 'failed' ? 'not copied' : (children ?? <Sheets />)}
    </button>
  )
}
