import { type Connection, type ConnectionStore, wasDropped } from '../store/connections.ts'
import type { ConnectionList, ConnectionRow } from '../wire.ts'
import type { RouteFacts } from './route-facts.ts'

export interface ConnectionFilter {
  /** Part of the id, route, peer, user, service, instance, close category or reason. */
  readonly text: string
  readonly route: string
  readonly state: '' | 'open' | 'closed' | 'dropped' | 'rejected' | 'errors'
}

export type ConnectionSort = 'newest' | 'messages' | 'bytes' | 'errors'

export type FactsOf = (service: string, route: string) => RouteFacts

/** The connections that match, at most `limit` of them. */
export function listConnections(
  connections: ConnectionStore,
  filter: ConnectionFilter,
  sort: ConnectionSort,
  limit: number,
  factsOf: FactsOf,
): ConnectionList {
  const text = filter.text.toLowerCase()
  const found: Connection[] = []
  const routes = new Set<string>()
  const origins = new Set<string>()
  let open = 0
  for (const connection of connections.values()) {
    if (connection.state === 'open') open++
    if (routes.size < 200 && connection.route !== '') routes.add(connection.route)
    if (origins.size < 2) origins.add(`${connection.service}\n${connection.instance}`)
    if (hasState(connection, filter.state) && hasRoute(connection, filter.route) && hasText(connection, text)) {
      found.push(connection)
    }
  }
  found.sort((a, b) => weight(b, sort) - weight(a, sort) || b.opened - a.opened)
  return {
    rows: found.slice(0, limit).map((connection) => connectionRow(connection, factsOf)),
    matching: found.length,
    total: connections.count,
    open,
    routes: [...routes].sort(),
    severalNodes: origins.size > 1,
  }
}

function hasState(connection: Connection, state: ConnectionFilter['state']): boolean {
  if (state === '') return true
  if (state === 'dropped') return wasDropped(connection)
  if (state === 'errors') return connection.errors > 0
  if (state === 'rejected') return neverOpened(connection)
  return connection.state === state
}

function neverOpened({ state }: Connection): boolean {
  return state === 'rejected' || state === 'abandoned' || state === 'failed'
}

function hasRoute(connection: Connection, route: string): boolean {
  return route === '' || connection.route === route
}

function hasText(connection: Connection, text: string): boolean {
  if (text === '') return true
  const { id, route, peer, user, service, instance, closeCategory, closeReason } = connection
  return [id, route, peer, user, service, instance, closeCategory, closeReason].some((value) =>
    value.toLowerCase().includes(text),
  )
}

function weight(connection: Connection, sort: ConnectionSort): number {
  if (sort === 'messages') return connection.received + connection.sent
  if (sort === 'bytes') return connection.bytesReceived + connection.bytesSent
  if (sort === 'errors') return connection.errors
  return connection.opened
}

export function connectionRow(connection: Connection, factsOf: FactsOf): ConnectionRow {
  const { marks, nextMark, lastSeen, connect, replaces, carrier, ...told } = connection
  const open = connection.state === 'open'
  const facts = open ? factsOf(connection.service, connection.route) : undefined
  // Pings are those of the connection that carries it.
  const pings = open && carrier !== '' ? factsOf(connection.service, carrier) : undefined
  return {
    ...told,
    dropped: wasDropped(connection),
    rtt: connection.rtt ?? null,
    buffered: connection.buffered ?? null,
    routeRtt: facts?.rtt ?? pings?.rtt ?? null,
    routeBuffered: facts?.buffered ?? null,
    closeCode: connection.closeCode ?? null,
  }
}
