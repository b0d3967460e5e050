import { useLayoutEffect } from 'preact/hooks'

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement
  )
}

/** Calls the handler of a key while no form field has the focus. Keys are named as `KeyboardEvent.key` names them. */
export function useKeys(handlers: Readonly<Record<string, () => void>>): void {
  // With the rows that a handler is about, not some time after them: a key may come in between.
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      // An open dialog has the keyboard to itself.
      if (document.querySelector('dialog[open]') !== null) return
      if (typing(event.target)) {
        if (event.key === 'Escape') (event.target as HTMLElement).blur()
        return
      }
      // Enter on a link or a button belongs to them.
      if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('a, button') !== null) return
      const handler = handlers[event.key]
      if (handler === undefined) return
      event.preventDefault()
      handler()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  })
}

/** Moves along a list with the arrow keys or j and k; from nothing, to its first element. */
export function useListKeys(ids: readonly string[], current: string, select: (id: string) => void): void {
  const move = (by: number) => () => {
    const at = ids.indexOf(current)
    const next = at < 0 ? ids[0] : ids[Math.min(ids.length - 1, Math.max(0, at + by))]
    if (next !== undefined && next !== current) select(next)
  }
  useKeys({ ArrowDown: move(1), j: move(1), ArrowUp: move(-1), k: move(-1) })
}
