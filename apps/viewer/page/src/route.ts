import { useEffect, useState } from 'preact/hooks'

export type View = 'traces' | 'connections' | 'sessions' | 'logs' | 'metrics'
export const views: readonly View[] = ['traces', 'connections', 'sessions', 'logs', 'metrics']

export type Params = Readonly<Record<string, string>>

/** Where the page is: a view and its parameters, all of it in the fragment, so that every state has an address. */
export interface Route {
  readonly view: View
  readonly params: Params
}

/** Parameters that all views understand: what they show is chosen once, and stays from view to view. */
const common = ['q', 'service', 'route', 'last', 'from', 'to'] as const

/** What of the parameters goes along to another view. */
export function scopeOf(params: Params): Params {
  return Object.fromEntries(common.flatMap((name) => (params[name] ? [[name, params[name]]] : [])))
}

/** What of the parameters says which part of time is shown. */
export function timeOf({ last = '', from = '', to = '' }: Params): Params {
  return { last, from, to }
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const view = views.find((one) => one === path) ?? 'traces'
  return { view, params: Object.fromEntries(new URLSearchParams(query)) }
}

/** Address of a route; empty parameters are left out. */
export function href(view: View, params: Params = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()
  return `#/${view}${query === '' ? '' : `?${query}`}`
}

/** Goes to a route, as a step that Back undoes. */
export function go(view: View, params: Params = {}): void {
  location.hash = href(view, params)
}

/** Changes parameters of the current route without a step in the history: typing in a filter is not navigation. */
export function adjust(changes: Params): void {
  const { view, params } = parse(location.hash)
  history.replaceState(null, '', href(view, { ...params, ...changes }))
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** Changes parameters of the current route, as a step that Back undoes. */
export function step(changes: Params): void {
  const { view, params } = parse(location.hash)
  go(view, { ...params, ...changes })
}

/** Goes to another view, which shows the same part of what is kept. */
export function switchTo(view: View): void {
  go(view, scopeOf(parse(location.hash).params))
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
