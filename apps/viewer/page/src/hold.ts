import { useRef, useState } from 'preact/hooks'

/**
 * Keeps a list still while the pointer is on it: rows that move under the pointer cannot be hit. A change of `key` (what
 * was asked for) is shown at once.
 */
export function useHold<T>(value: T, key: string) {
  const [held, setHeld] = useState(false)
  const shown = useRef({ value, key })
  if (!held || shown.current.key !== key || shown.current.value === undefined) shown.current = { value, key }
  return {
    shown: shown.current.value,
    held: held && shown.current.value !== value,
    onPointerEnter: () => setHeld(true),
    onPointerLeave: () => setHeld(false),
  }
}
