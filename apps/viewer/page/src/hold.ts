import { useEffect, useRef, useState } from 'preact/hooks'

interface Listed {
  readonly rows: readonly { readonly id: string }[]
}

/** Why the rows of a list stay in their places. */
export type HoldReason = '' | 'pointer' | 'keyboard'

/**
 * Keeps the rows of a list in their places while the pointer is on it, or the keyboard moves along it: rows that move
 * cannot be hit. What they say is still up to date. The answer to another question (`answered`) is shown at once.
 */
export function useHold<L extends Listed>(value: L | undefined, answered: string) {
  const [pointed, setPointed] = useState(false)
  const [typed, setTyped] = useState(false)
  const shown = useRef({ value, answered })
  const held = shown.current.value
  const sameQuestion = shown.current.answered === answered
  // Where nothing is left, nothing is held: everything was cleared.
  const holds = (pointed || typed) && sameQuestion && held !== undefined && value !== undefined && value.rows.length > 0
  shown.current = { value: holds ? refreshed(held, value) : value, answered }
  const rows = shown.current.value?.rows
  useEffect(() => {
    if (!sameQuestion) setTyped(false)
  }, [sameQuestion])
  const moved = rows !== undefined && value !== undefined && !sameOrder(rows, value.rows)
  const reason: HoldReason = !moved ? '' : pointed ? 'pointer' : 'keyboard'
  return {
    shown: shown.current.value,
    held: reason,
    /** To be called when the keyboard moves along the list, and with false when it is done. */
    keyboard: setTyped,
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
