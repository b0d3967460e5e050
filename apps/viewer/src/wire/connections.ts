import type { Attribute } from '../model.ts'
import type { Operation } from '../store/operation.ts'
import type { LogRow } from './logs.ts'

export interface ConnectionRow {
  readonly id: string
  /** Whether only the client's end has recorded it. */
  readonly ofClient: boolean
  readonly service: string
  readonly instance: string
  readonly route: string
  readonly subprotocol: string
  readonly transport: string
  readonly peer: string
  readonly user: string
  readonly state: 'open' | 'closed' | 'rejected' | 'abandoned' | 'failed'
  readonly dropped: boolean
  readonly opened: number
  readonly openedSeen: boolean
  readonly closed: number
  readonly status: number
  readonly received: number
  readonly sent: number
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Seconds and bytes; null when not known. */
  readonly rtt: number | null
  readonly buffered: number | null
  /** From the metrics of the connection's route, while it is open: the median RTT, and the sum that is buffered. */
  readonly routeRtt: number | null
  readonly routeBuffered: number | null
  readonly errors: number
  readonly undelivered: number
  readonly closeCode: number | null
  readonly closeCategory: string
  readonly closeInitiator: string
  readonly closeReason: string
  readonly errorType: string
}

export interface ConnectionList {
  readonly rows: readonly ConnectionRow[]
  readonly matching: number
  readonly total: number
  readonly open: number
  /** What of the search was not understood. */
  readonly problems: readonly string[]
  readonly routes: readonly string[]
  readonly services: readonly string[]
  /** Whether the connections are those of more than one process. */
  readonly severalNodes: boolean
}

/** One thing that happened on a connection. A tuple would save bytes and cost every reader. */
export interface Mark {
  readonly number: number
  readonly traceId: string
  readonly spanId: string
  readonly operation: Operation
  readonly name: string
  readonly start: number
  readonly duration: number
  readonly error: string
  readonly size: number | null
  readonly sequence: number | null
  /** What its attributes say, in a few words. */
  readonly note: string
  /** Recorded by the other end of the connection, under the same id. */
  readonly peer: boolean
}

export interface ConnectionDetail {
  readonly row: ConnectionRow
  /** Marks since the last update; the first update carries all that are kept. */
  readonly marks: readonly Mark[]
  /** Marks below this number are no longer kept. */
  readonly firstMark: number
  /** Spans of the connection that were dropped, or are not shown. */
  readonly omitted: number
  /** True when `marks` replaces what the page has. */
  readonly reset: boolean
  /** Ids of the connection that this one replaces, and of the one that replaced it; empty where there is none. */
  readonly previous: string
  readonly next: string
  /** Where every message is: sent plus received marks and gaps come to the total. */
  readonly sent: Account
  readonly received: Account
  readonly gaps: readonly Gap[]
  readonly operations: readonly OperationRow[]
  /** Log records of the connection: the newest, and how many there are. */
  readonly logs: readonly LogRow[]
  readonly logCount: number
  /** The last value of each attribute that its spans carry. */
  readonly attributes: readonly Attribute[]
}

/** Where the messages of one direction are: all parts come to the total. */
export interface Account {
  readonly total: number
  /** Messages with a mark of their own. */
  readonly listed: number
  /** Members of broadcasts, which have no span each. */
  readonly broadcast: number
  /** Messages that were sampled out or over budget. */
  readonly unrecorded: number
  /** Messages whose spans were dropped here to make room. */
  readonly evicted: number
  /** Messages whose absence no span explains. */
  readonly unexplained: number
}

/** Messages in a row that have no mark. */
export interface Gap extends Omit<Account, 'total' | 'listed'> {
  readonly direction: 'received' | 'sent'
  /** Sequence numbers. */
  readonly first: number
  readonly last: number
  /** Times of the marks around it, epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly count: number
}

/** An operation that ran within the messages of a connection: a query, a call, a subscription. */
export interface OperationRow {
  readonly id: string
  /** Number of the mark that it begins with. */
  readonly mark: number
  readonly name: string
  readonly type: string
  readonly outcome: string
  readonly start: number
  readonly end: number
  /** Whether its end is known. */
  readonly ended: boolean
  /** Items of a stream; null where it is none. */
  readonly items: number | null
  readonly error: boolean
}

/** Connections that share the value of an attribute, one user over all reconnects for example. */
export interface SessionRow {
  /** The value. */
  readonly id: string
  readonly connections: number
  readonly open: number
  readonly dropped: number
  /** Epoch milliseconds. */
  readonly firstSeen: number
  readonly lastSeen: number
  /** Milliseconds between the first and the last connection during which there was none. */
  readonly away: number
  readonly received: number
  readonly sent: number
  readonly undelivered: number
  readonly errors: number
  readonly routes: readonly string[]
}

export interface SessionList {
  readonly rows: readonly SessionRow[]
  readonly matching: number
  readonly total: number
  /** Connections that have a value. */
  readonly connections: number
  readonly problems: readonly string[]
  /** Attributes to group by. */
  readonly keys: readonly string[]
}

export interface SessionConnection {
  readonly id: string
  readonly route: string
  readonly service: string
  readonly instance: string
  readonly state: ConnectionRow['state']
  readonly dropped: boolean
  readonly opened: number
  /** When it ended; now while it is open. */
  readonly ended: number
  readonly received: number
  readonly sent: number
  readonly undelivered: number
  readonly errors: number
  readonly close: string
}

export interface SessionDetail {
  readonly row: SessionRow
  /** Oldest first. */
  readonly connections: readonly SessionConnection[]
  readonly omitted: number
}
