import { useEffect, useState } from 'preact/hooks'

export type View = 'traces' | 'connections' | 'metrics'
export const views: readonly View[] = ['traces', 'connections', 'metrics']

/** Where the page is: a view and its parameters, all of it in the fragment, so that every state has an address. */
export interface Route {
  readonly view: View
  readonly params: Readonly<Record<string, string>>
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const view = views.find((one) => one === path) ?? 'traces'
  return { view, params: Object.fromEntries(new URLSearchParams(query)) }
}

/** Address of a route; empty parameters are left out. */
export function href(view: View, params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()
  return `#/${view}${query === '' ? '' : `?${query}`}`
}

/** Goes to a route, as a step that Back undoes. */
export function go(view: View, params: Readonly<Record<string, string>> = {}): void {
  location.hash = href(view, params)
}

/** Changes parameters of the current route without a step in the history: typing in a filter is not navigation. */
export function adjust(changes: Readonly<Record<string, string>>): void {
  const { view, params } = parse(location.hash)
  history.replaceState(null, '', href(view, { ...params, ...changes }))
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** Changes parameters of the current route, as a step that Back undoes. */
export function step(changes: Readonly<Record<string, string>>): void {
  const { view, params } = parse(location.hash)
  go(view, { ...params, ...changes })
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash))
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}
