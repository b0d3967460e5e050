import type { Attribute, AttributeValue } from '../model.ts'
import { logKeys, spanKeys } from '../search/records.ts'
import { operationOf, operations } from '../store/operation.ts'
import { routeOf } from '../store/place.ts'
import type { Store } from '../store/store.ts'
import { connectionKeys } from './connection-list.ts'

/** Suggestions that are sent, and records that are looked at for them: the newest. */
const most = 20
const mostLooked = 2000
/** Values longer than this are no help to type. */
const longestValue = 80

/** What the last word of a search may go on to: keys, or values of the key that is typed already. */
export function completions(store: Store, view: string, word: string): string[] {
  const minus = word.startsWith('-') ? '-' : ''
  const typed = word.slice(minus.length)
  const found = /^([^\s"=<>!]+)(!=|=)"?(.*)$/.exec(typed)
  const counts = new Map<string, number>()
  const note = (value: string) => counts.set(value, (counts.get(value) ?? 0) + 1)
  if (found === null) {
    if (typed === '' || /[<>"]/.test(typed)) return []
    const lower = typed.toLowerCase()
    const keyed = (key: string) => key.toLowerCase().includes(lower) && note(key)
    for (const key of shortKeys(view)) if (key.startsWith(lower)) counts.set(key, Number.POSITIVE_INFINITY)
    for (const attributes of attributeLists(store, view)) for (const [key] of attributes) keyed(key)
    return ranked(counts).map((key) => `${minus}${key}=`)
  }
  const [, key = '', comparison = '', value = ''] = found
  const lower = value.toLowerCase()
  for (const known of valuesOf(store, view, key)) {
    const text = String(known)
    if (text.length <= longestValue && text.toLowerCase().includes(lower)) note(text)
  }
  return ranked(counts).map(
    (one) => `${minus}${key}${comparison}${/[\s"=<>!]/.test(one) ? `"${one.replaceAll('"', '')}"` : one}`,
  )
}

function ranked(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([value]) => value)
}

function shortKeys(view: string): readonly string[] {
  if (view === 'logs') return logKeys
  return view === 'connections' || view === 'sessions' ? connectionKeys : spanKeys
}

function* attributeLists(store: Store, view: string): Generator<readonly Attribute[]> {
  let looked = 0
  if (view === 'logs') {
    for (const log of store.logs.newest()) {
      yield log.attributes
      yield log.resource.attributes
      if (++looked >= mostLooked) return
    }
    return
  }
  for (const trace of store.traces.newest()) {
    for (const span of trace.spans.values()) {
      yield span.attributes
      yield span.resource.attributes
      for (const event of span.events) yield event.attributes
      if (++looked >= mostLooked) return
    }
  }
}

function* valuesOf(store: Store, view: string, key: string): Generator<AttributeValue> {
  for (const attributes of attributeLists(store, view)) {
    for (const [name, value] of attributes) if (name === key) yield value
  }
  if (key === 'operation') yield* operations
  if (view === 'connections' || view === 'sessions') {
    yield* connectionValues(store, key)
    return
  }
  let looked = 0
  for (const trace of store.traces.newest()) {
    for (const span of trace.spans.values()) {
      if (key === 'name') yield span.name
      else if (key === 'service') yield span.resource.service
      else if (key === 'node') yield span.resource.instance
      else if (key === 'route') yield routeOf(span)
      else if (key === 'kind') yield span.kind
      else if (key === 'status') yield span.error ? 'error' : 'ok'
      else if (key === 'operation') yield operationOf(span)
      else return
      if (++looked >= mostLooked) return
    }
  }
}

function* connectionValues(store: Store, key: string): Generator<AttributeValue> {
  let looked = 0
  for (const connection of store.connections.values()) {
    if (key === 'route' || key === 'peer' || key === 'user' || key === 'service' || key === 'state')
      yield connection[key]
    else if (key === 'close') yield connection.closeCategory
    else if (key === 'code' && connection.closeCode !== undefined) yield connection.closeCode
    else if (key === 'reason') yield connection.closeReason
    else if (key === 'initiator') yield connection.closeInitiator
    else if (key === 'node') yield connection.instance
    if (++looked >= mostLooked) return
  }
}
