import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Height of a row of a table, as the style sheet has it. */
export const ROW_HEIGHT = 28

/** Up to so many rows are drawn whatever of them is in view. */
const fewRows = 80
/** Rows that are drawn above and below what is in view. */
const around = 8

export interface RowsInView {
  /** The element that scrolls. */
  readonly scroller: RefObject<HTMLDivElement | null>
  /** First row that is drawn, and the first that is not any more. */
  readonly first: number
  readonly end: number
  /** Pixels of the rows before the first one that is drawn, and after the last one. */
  readonly above: number
  readonly below: number
}

/**
 * Which rows of a long list are drawn: those in view and some around them, so that a list of any length costs the same.
 * Rows are of equal height, in pixels. The row at `shown` is brought into view whenever it changes; -1 for none.
 */
export function useRowsInView(count: number, height: number, shown: number): RowsInView {
  const scroller = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [room, setRoom] = useState(800)
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const scrolled = () => setTop(Math.floor(element.scrollTop / height) * height)
    const observer = new ResizeObserver(() => setRoom(element.clientHeight))
    element.addEventListener('scroll', scrolled, { passive: true })
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', scrolled)
      observer.disconnect()
    }
  }, [height])
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null || shown < 0) return
    const at = shown * height
    // The heading stays in view above the rows.
    if (at < element.scrollTop) element.scrollTop = at
    else if (at + 3 * height > element.scrollTop + element.clientHeight) {
      element.scrollTop = at + 3 * height - element.clientHeight
    }
  }, [shown, height])
  if (count <= fewRows) return { scroller, first: 0, end: count, above: 0, below: 0 }
  const first = Math.max(0, Math.min(count, Math.floor(top / height) - around))
  const end = Math.min(count, Math.ceil((top + room) / height) + around)
  return { scroller, first, end, above: first * height, below: (count - end) * height }
}
