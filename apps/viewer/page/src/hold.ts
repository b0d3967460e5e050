import { useRef, useState } from 'preact/hooks'

interface Listed {
  readonly rows: readonly { readonly id: string }[]
}

/**
 * Keeps the rows of a list in their places while the pointer is on it: rows that move under the pointer cannot be hit.
 * What they say is still up to date. The answer to another question (`answered`) is shown at once.
 */
export function useHold<L extends Listed>(value: L | undefined, answered: string) {
  const [pointed, setPointed] = useState(false)
  const shown = useRef({ value, answered })
  const held = shown.current.value
  const holds = pointed && shown.current.answered === answered && held !== undefined && value !== undefined
  shown.current = { value: holds ? refreshed(held, value) : value, answered }
  const rows = shown.current.value?.rows
  return {
    shown: shown.current.value,
    held: rows !== undefined && value !== undefined && !sameOrder(rows, value.rows),
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
  }
}

/** The latest list, with the rows of the one that is held, in its order. */
function refreshed<L extends Listed>(held: L, latest: L): L {
  if (held === latest) return held
  const known = new Map(latest.rows.map((row) => [row.id, row]))
  return { ...latest, rows: held.rows.map((row) => known.get(row.id) ?? row) }
}

function sameOrder(held: Listed['rows'], latest: Listed['rows']): boolean {
  return held.length === latest.length && held.every((row, index) => row.id === latest[index]?.id)
}
