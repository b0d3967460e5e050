import { type AttributeValue, attribute } from '../model.ts'
import { contains, meets, startsId } from '../search/match.ts'
import { type KeyTerm, parseSearch, type Term, type TextTerm } from '../search/parse.ts'
import { present, spanHas } from '../search/records.ts'
import { type Connection, isSlowConsumer, neverOpened, wasDropped } from '../store/connection.ts'
import type { ConnectionStore } from '../store/connections.ts'
import { errorOf } from '../store/failure.ts'
import type { ConnectionList, ConnectionRow } from '../wire.ts'
import type { RouteFacts } from './route-facts.ts'
import { always, overlaps, type TimeRange } from './time-range.ts'

export const connectionStates = ['', 'open', 'closed', 'dropped', 'rejected', 'errors', 'slow', 'undelivered'] as const

export interface ConnectionFilter {
  /** What is searched, in the language of `parseSearch`. */
  readonly text: string
  readonly route: string
  readonly state: (typeof connectionStates)[number]
  /** Default: all. */
  readonly service?: string
  /** Default: always. */
  readonly range?: TimeRange
}

export const connectionSorts = [
  'newest',
  'messages',
  'bytes',
  'errors',
  'buffered',
  'undelivered',
  'rtt',
  'longest',
] as const
export type ConnectionSort = (typeof connectionSorts)[number]

export type FactsOf = (service: string, route: string) => RouteFacts

/** Keys that stand for what a connection shows and that are no attributes of it. */
export const connectionKeys = [
  'id',
  'service',
  'node',
  'route',
  'peer',
  'user',
  'state',
  'close',
  'code',
  'initiator',
  'reason',
  'error',
  'received',
  'sent',
  'errors',
  'undelivered',
  'buffered',
  'rtt',
  'age',
] as const

/** The connections that match a filter. */
export class ConnectionTest {
  readonly problems: readonly string[]
  readonly #filter: ConnectionFilter
  readonly #terms: readonly Term[]
  readonly #range: TimeRange
  readonly #now: number

  /** `now`: until when a connection that is open has lasted, epoch milliseconds. */
  constructor(filter: ConnectionFilter, now: number) {
    const { terms, problems } = parseSearch(filter.text)
    this.problems = problems
    this.#filter = filter
    this.#terms = terms
    this.#range = filter.range ?? always
    this.#now = now
  }

  passes(connection: Connection): boolean {
    const { state, route, service = '' } = this.#filter
    if (!hasState(connection, state)) return false
    if (route !== '' && connection.route !== route) return false
    if (service !== '' && connection.service !== service) return false
    if (!overlaps(this.#range, connection.opened, endOf(connection, this.#now))) return false
    return this.#terms.every((term) => has(connection, term, this.#now) !== term.negated)
  }
}

/** The connections that match, in the order asked for; `skip` of them are left out, and at most `limit` listed. */
export function listConnections(
  connections: ConnectionStore,
  filter: ConnectionFilter,
  sort: ConnectionSort,
  limit: number,
  factsOf: FactsOf,
  { now = Date.now(), skip = 0, before = Number.POSITIVE_INFINITY } = {},
): ConnectionList {
  const test = new ConnectionTest(filter, now)
  const found: Connection[] = []
  const routes = new Set<string>()
  const services = new Set<string>()
  const origins = new Set<string>()
  let open = 0
  for (const connection of connections.values()) {
    if (connection.state === 'open') open++
    if (routes.size < 200 && connection.route !== '') routes.add(connection.route)
    if (services.size < 200) services.add(connection.service)
    if (origins.size < 2) origins.add(`${connection.service}\n${connection.instance}`)
    if (test.passes(connection)) found.push(connection)
  }
  found.sort((a, b) => weight(b, sort, now) - weight(a, sort, now) || b.opened - a.opened)
  const from = sort === 'newest' ? found.findIndex(({ opened }) => opened < before) : skip
  return {
    rows: (from < 0 ? [] : found.slice(from, from + limit)).map((connection) => connectionRow(connection, factsOf)),
    matching: found.length,
    total: connections.count,
    open,
    problems: test.problems,
    routes: [...routes].sort(),
    services: [...services].sort(),
    severalNodes: origins.size > 1,
  }
}

function endOf({ state, closed, lastSeen }: Connection, now: number): number {
  return state === 'open' ? Math.max(now, lastSeen) : closed
}

function hasState(connection: Connection, state: ConnectionFilter['state']): boolean {
  if (state === '') return true
  if (state === 'dropped') return wasDropped(connection)
  if (state === 'errors') return connection.errors > 0
  if (state === 'undelivered') return connection.undelivered > 0
  if (state === 'slow') return isSlowConsumer(connection)
  if (state === 'rejected') return neverOpened(connection.state)
  return connection.state === state
}

function has(connection: Connection, term: Term, now: number): boolean {
  return term.kind === 'text' ? shows(connection, term) : fulfils(connection, term, now)
}

function shows(connection: Connection, term: TextTerm): boolean {
  const { id, route, peer, user, service, instance, subprotocol, transport } = connection
  const { state, closeCategory, closeCode, closeInitiator, closeReason, errorType, status } = connection
  const texts = [route, peer, user, service, instance, subprotocol, transport, closeReason, errorType]
  if (texts.some((text) => contains(term, text)) || startsId(term, id) || id === term.text) return true
  const close = [closeCategory, closeCode ?? '', closeInitiator === '' ? '' : `by ${closeInitiator}`]
  if (contains(term, close.join(' ')) || contains(term, wasDropped(connection) ? 'dropped' : state)) return true
  if (status > 0 && contains(term, status)) return true
  for (const value of connection.attributes.values()) if (contains(term, value)) return true
  for (const span of connection.marks.keys()) {
    if (contains(term, span.name) || (span.error && contains(term, errorOf(span)))) return true
  }
  return false
}

function fulfils(connection: Connection, term: KeyTerm, now: number): boolean {
  const value = connection.attributes.get(term.key) ?? connectionValue(connection, term.key, now)
  if (value !== undefined) return meets(term, value)
  // What only single messages carry, such as their name or error.
  for (const span of connection.marks.keys()) {
    if (attribute(span.attributes, term.key) !== undefined ? spanHas(span, term) : meetsResource(span, term))
      return true
  }
  return false
}

function meetsResource(span: Parameters<typeof spanHas>[0], term: KeyTerm): boolean {
  return meets(term, attribute(span.resource.attributes, term.key))
}

function connectionValue(connection: Connection, key: string, now: number): AttributeValue | undefined {
  switch (key) {
    case 'id':
    case 'connection':
      return connection.id
    case 'service':
    case 'received':
    case 'sent':
    case 'errors':
    case 'undelivered':
      return connection[key]
    case 'node':
      return present(connection.instance)
    case 'route':
    case 'peer':
    case 'user':
      return present(connection[key])
    case 'state':
      return wasDropped(connection) ? 'dropped' : connection.state
    case 'close':
      return present(connection.closeCategory)
    case 'code':
      return connection.closeCode
    case 'initiator':
      return present(connection.closeInitiator)
    case 'reason':
      return present(connection.closeReason)
    case 'error':
      return present(connection.errorType)
    case 'buffered':
      return connection.buffered
    case 'rtt':
      return connection.rtt === undefined ? undefined : connection.rtt * 1000
    case 'age':
      return neverOpened(connection.state) ? undefined : endOf(connection, now) - connection.opened
    default:
      return undefined
  }
}

function weight(connection: Connection, sort: ConnectionSort, now: number): number {
  switch (sort) {
    case 'messages':
      return connection.received + connection.sent
    case 'bytes':
      return connection.bytesReceived + connection.bytesSent
    case 'errors':
    case 'undelivered':
      return connection[sort]
    case 'buffered':
    case 'rtt':
      return connection[sort] ?? -1
    case 'longest':
      return neverOpened(connection.state) ? -1 : endOf(connection, now) - connection.opened
    default:
      return connection.opened
  }
}

/** What a list says of a connection. */
export function connectionRow(connection: Connection, factsOf: FactsOf): ConnectionRow {
  const { marks, nextMark, lastSeen, connect, replaces, carrier, evicted, attributes, ...known } = connection
  const open = connection.state === 'open'
  const facts = open ? factsOf(connection.service, connection.route) : undefined
  // Pings are those of the connection that carries it.
  const pings = open && carrier !== '' ? factsOf(connection.service, carrier) : undefined
  return {
    ...known,
    dropped: wasDropped(connection),
    rtt: connection.rtt ?? null,
    buffered: connection.buffered ?? null,
    routeRtt: facts?.rtt ?? pings?.rtt ?? null,
    routeBuffered: facts?.buffered ?? null,
    closeCode: connection.closeCode ?? null,
  }
}
