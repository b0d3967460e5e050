import { USER_ID } from '../names.ts'
import { type Connection, neverOpened, wasDropped } from '../store/connection.ts'
import type { ConnectionStore } from '../store/connections.ts'
import type { SessionConnection, SessionDetail, SessionList, SessionRow } from '../wire.ts'
import { type ConnectionFilter, ConnectionTest } from './connection-list.ts'

/** Connections of one session that are shown: the newest. */
const mostConnections = 200
/** Attributes that are offered to group by. */
const mostKeys = 100

/** The value by which a connection belongs to a session; empty where it has none. */
function sessionOf(connection: Connection, key: string): string {
  if (key === USER_ID) return connection.user
  const value = connection.attributes.get(key)
  return value === undefined ? '' : String(value)
}

/** The connections that match, put together by the value of an attribute: one user, say, over all reconnects. */
export function listSessions(
  connections: ConnectionStore,
  filter: ConnectionFilter,
  key: string,
  limit: number,
  { now = Date.now(), skip = 0 } = {},
): SessionList {
  const test = new ConnectionTest(filter, now)
  const groups = new Map<string, Connection[]>()
  const keys = new Set<string>([USER_ID])
  let matching = 0
  for (const connection of connections.values()) {
    if (keys.size < mostKeys) for (const one of connection.attributes.keys()) keys.add(one)
    const value = sessionOf(connection, key)
    if (value === '' || !test.passes(connection)) continue
    matching++
    const group = groups.get(value)
    if (group === undefined) groups.set(value, [connection])
    else group.push(connection)
  }
  const rows = [...groups].map(([value, members]) => sessionRow(value, members, now))
  rows.sort((a, b) => b.lastSeen - a.lastSeen)
  return {
    rows: rows.slice(skip, skip + limit),
    matching: rows.length,
    total: rows.length,
    connections: matching,
    problems: test.problems,
    keys: [...keys].sort(),
  }
}

/** One session with its connections, oldest first; null when no connection has the value. */
export function sessionDetail(
  connections: ConnectionStore,
  key: string,
  value: string,
  now = Date.now(),
): SessionDetail | null {
  const members = [...connections.values()].filter((connection) => sessionOf(connection, key) === value)
  if (members.length === 0) return null
  members.sort((a, b) => a.opened - b.opened)
  return {
    row: sessionRow(value, members, now),
    connections: members.slice(-mostConnections).map((connection) => memberOf(connection, now)),
    omitted: Math.max(0, members.length - mostConnections),
  }
}

function endOf({ state, closed }: Connection, now: number): number {
  return state === 'open' ? now : closed
}

function sessionRow(value: string, members: readonly Connection[], now: number): SessionRow {
  const sum = (of: (connection: Connection) => number) => members.reduce((all, one) => all + of(one), 0)
  const opened = members.filter(({ state }) => !neverOpened(state))
  return {
    id: value,
    connections: members.length,
    open: members.filter(({ state }) => state === 'open').length,
    dropped: members.filter(wasDropped).length,
    firstSeen: Math.min(...members.map((one) => one.opened)),
    lastSeen: Math.max(...members.map((one) => endOf(one, now))),
    away: awayFor(opened, now),
    received: sum(({ received }) => received),
    sent: sum(({ sent }) => sent),
    undelivered: sum(({ undelivered }) => undelivered),
    errors: sum(({ errors }) => errors),
    routes: [...new Set(members.map(({ route }) => route))].slice(0, 5),
  }
}

/** Milliseconds between the first and the last connection during which there was none. */
function awayFor(opened: readonly Connection[], now: number): number {
  let away = 0
  let until = Number.POSITIVE_INFINITY
  for (const connection of [...opened].sort((a, b) => a.opened - b.opened)) {
    if (connection.opened > until) away += connection.opened - until
    const end = endOf(connection, now)
    until = until === Number.POSITIVE_INFINITY ? end : Math.max(until, end)
  }
  return away
}

function memberOf(connection: Connection, now: number): SessionConnection {
  const { id, route, service, instance, state, opened, received, sent, undelivered, errors } = connection
  const { closeCategory, closeCode, closeReason } = connection
  return {
    id,
    route,
    service,
    instance,
    state,
    dropped: wasDropped(connection),
    opened,
    ended: endOf(connection, now),
    received,
    sent,
    undelivered,
    errors,
    close: [closeCategory, closeCode ?? '', closeReason].filter((part) => part !== '').join(' '),
  }
}
