/** Category of a close, from its code (RFC 6455, section 7.4). */
export type CloseCategory =
  | 'normal'
  | 'going_away'
  | 'no_status'
  | 'abnormal'
  | 'protocol_error'
  | 'policy'
  | 'too_big'
  | 'server_error'
  | 'restart'
  | 'timeout'
  | 'application'
  | 'other'

/** The end that closed the connection: this side, the peer, or neither (the network). */
export type CloseInitiator = 'local' | 'remote' | 'network'

export const CLOSE_CATEGORIES: readonly CloseCategory[] = [
  'normal',
  'going_away',
  'no_status',
  'abnormal',
  'protocol_error',
  'policy',
  'too_big',
  'server_error',
  'restart',
  'timeout',
  'application',
  'other',
]

/** Categories that are errors, unless option `closeErrors` says otherwise. */
export const CLOSE_ERRORS: readonly CloseCategory[] = ['protocol_error', 'too_big', 'server_error', 'timeout']

/** Categories of connections that were not meant to end. */
const ABNORMAL: ReadonlySet<CloseCategory> = /* @__PURE__ */ new Set<CloseCategory>([
  'abnormal',
  'protocol_error',
  'policy',
  'too_big',
  'server_error',
  'timeout',
])

/** True for a close that was not meant to come. */
export function isAbnormal(category: CloseCategory): boolean {
  return ABNORMAL.has(category)
}

/** Facts of a close that an adapter has seen. */
export interface CloseFacts {
  /** Code of this side's close frame, if it was sent first or failed the connection. 1005: a frame without a code. */
  readonly sent?: number | undefined
  /** Code of the close frame that the peer sent. 1005 stands for none. */
  readonly received?: number | undefined
  /** We cut the connection without a close frame. */
  readonly terminated?: boolean
  /** The connection ended because a heartbeat was missed. */
  readonly timedOut?: boolean
  /** Close code that stands for the protocol error we detected, when no close frame could be sent any more. */
  readonly failed?: number | undefined
  /** Text of the close frame that decides. */
  readonly reason?: string | undefined
  /** The last transport of the connection, for hosts that have several. */
  readonly transport?: string | undefined
  /** Seconds of the last round trip, where the host pings for several connections at once. */
  readonly rtt?: number | undefined
}

export interface Close {
  readonly code: number
  readonly category: CloseCategory
  readonly initiator: CloseInitiator
}

/**
 * Determines the effective close of a connection. `sent` is set only if this side's frame went first, so it decides; else the
 * peer's frame; 1006 is left for connections on which no close frame was seen.
 */
export function resolveClose(facts: CloseFacts): Close {
  const code = facts.sent ?? facts.received ?? facts.failed ?? 1006
  const initiator =
    facts.sent !== undefined || facts.failed !== undefined
      ? 'local'
      : facts.received !== undefined
        ? 'remote'
        : facts.terminated || facts.timedOut
          ? 'local'
          : 'network'
  return { code, category: facts.timedOut ? 'timeout' : categoryOf(code), initiator }
}

const CATEGORIES: Readonly<Record<number, CloseCategory>> = {
  1000: 'normal',
  1001: 'going_away',
  1002: 'protocol_error',
  1003: 'protocol_error',
  1005: 'no_status',
  1006: 'abnormal',
  1007: 'protocol_error',
  1008: 'policy',
  1009: 'too_big',
  1010: 'protocol_error',
  1011: 'server_error',
  1012: 'restart',
  1013: 'restart',
  1014: 'server_error',
}

/** The category of a code, of a connection that did not time out. */
export function categoryOf(code: number): CloseCategory {
  return CATEGORIES[code] ?? (code >= 3000 && code <= 4999 ? 'application' : 'other')
}

/** The code as a metric attribute: exact where the set is closed or declared, else its range. */
export function closeCodeLabel(code: number, declared: ReadonlySet<number>): number | string {
  if ((code >= 1000 && code <= 1015) || declared.has(code)) return code
  if (code >= 3000 && code <= 3999) return '3xxx'
  if (code >= 4000 && code <= 4999) return '4xxx'
  return 'other'
}

/** Cuts a text at `bytes` bytes of UTF-8 without splitting a character. A close reason has room for 123 bytes. */
export function truncateUtf8(text: string, bytes: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    const point = character.codePointAt(0) as number
    used += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (used > bytes) return text.slice(0, end)
    end += character.length
  }
  return text
}
