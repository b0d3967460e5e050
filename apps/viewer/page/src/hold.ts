import { useRef, useState } from 'preact/hooks'

/**
 * Keeps a list still while the pointer is on it: rows that move under the pointer cannot be hit. The answer to another
 * question (`answered`) is shown at once.
 */
export function useHold<T>(value: T, answered: string) {
  const [pointed, setPointed] = useState(false)
  const shown = useRef({ value, answered })
  if (!pointed || shown.current.answered !== answered) shown.current = { value, answered }
  const same =
    !pointed || shown.current.value === value || JSON.stringify(shown.current.value) === JSON.stringify(value)
  return {
    shown: shown.current.value,
    held: !same,
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
  }
}
