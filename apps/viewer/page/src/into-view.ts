/** Scrolls an element that has just been selected into view, by as little as that takes. */
export function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' })
}
