import type { Attributes } from '@opentelemetry/api'

/**
 * What a message does:
 *
 * - `request`: begins an operation.
 * - `started`: the operation has begun at the end that serves it, and its items follow.
 * - `response`: the one answer to a request, or its failure.
 * - `item`: one of several answers. The first one of an operation that is no stream is its response.
 * - `complete`: the end of the items. Sent by the end that has asked, it cancels.
 * - `cancel`: ends an operation, whichever end sends it.
 * - `event`: one-way.
 * - `control`: what the protocol needs for itself: pings, authentication, acknowledgements.
 */
export type MessageKind = 'request' | 'started' | 'response' | 'item' | 'complete' | 'cancel' | 'event' | 'control'

/** A message, as a protocol has read it. */
export interface ProtocolRecord {
  readonly kind: MessageKind
  /** The result of `message.id(path)`. Operations without one are not followed: they are recorded as any message. */
  readonly id?: string | undefined
  /** Of a request or an event: the name of the operation, such as a procedure's path. It is bounded before it is used. */
  readonly name?: string | undefined
  /** Of a request: `query`, `mutation`, `call`; the types `subscription` and `stream` have items. Few values. */
  readonly type?: string | undefined
  /**
   * Of a response, an item or a complete: whether the operation has failed; `undefined` if that was not read. Default
   * `false`.
   */
  readonly failed?: boolean | undefined
  /** Code of the failure, of a protocol with few of them. */
  readonly error?: string | undefined
  /** Of a control: it asks for an answer, or is one, so that a round trip can be measured. */
  readonly ping?: 'ping' | 'pong' | undefined
  /** The message authenticates: no hook sees it. */
  readonly secret?: boolean | undefined
}

/** A message whose values are read without parsing it. Paths are `type`, `params.path`, `[2]`; `$.type` is the same. */
export interface ProtocolMessage {
  /** The first 16 KiB, for protocols whose messages are no JSON. */
  readonly head: string
  /** False if more follows than `head` has. */
  readonly isWhole: boolean
  /**
   * The text of a string or a number.
   *
   * @param length characters that are enough. Default: all
   */
  text(path: string, length?: number): string | undefined
  /** A string or number as id: `1` and `"1"` are different ones. Ids of more than 256 characters are `undefined`. */
  id(path: string): string | undefined
  /** True if there is a value that is neither `null` nor `false`; `undefined` if that was not read. */
  has(path: string): boolean | undefined
}

/** What is known of a message's connection. */
export interface ProtocolState {
  /** True if this end sends the message. */
  readonly isSent: boolean
  /** True if the peer of the message's sender has asked for an operation with this id that is open. */
  isOpen(id: string | undefined): boolean
  /** The type of that operation, as its request had it. */
  typeOf(id: string | undefined): string | undefined
}

/** The names of semantic conventions under which an operation is recorded besides. */
export interface Conventions {
  readonly constant?: Attributes
  readonly name?: string
  readonly type?: string
  readonly id?: string
  readonly error?: string
}

/** Definition of a protocol. */
export interface ProtocolDefinition {
  /** Value of `websocket.protocol`. */
  readonly name: string
  /** Negotiated subprotocols that choose it. */
  readonly subprotocols?: readonly string[]
  /**
   * True for messages that no other protocol has: such a one chooses it on connections without a known subprotocol, as
   * soon as this end has sent one.
   */
  readonly recognize?: (message: ProtocolMessage) => boolean
  /** True for messages of this end that confirm what `recognize` has found in those of the peer. Default: `recognize`. */
  readonly confirms?: (message: ProtocolMessage) => boolean
  /** Messages are arrays of records. Default `false`. */
  readonly batches?: boolean
  /** The character that ends each record of a message. Default: a message is one record. */
  readonly separator?: string
  /** Binary messages are read as well. Default `false`. */
  readonly binary?: boolean
  /** Ids are content, such as the name of a channel: they are recorded as a hash. Default `false`. */
  readonly hashesIds?: boolean
  /** Members that hold the trace context of a request. */
  readonly slot?: string
  readonly conventions?: Conventions
  /** Reads one record; `undefined` for one that it does not know, which is recorded as any message. */
  read(message: ProtocolMessage, state: ProtocolState): ProtocolRecord | undefined
}

/** A protocol, for option `protocol`. */
export interface Protocol extends ProtocolDefinition {
  readonly isProtocol: true
}

const MEMBERS = [
  'name',
  'subprotocols',
  'recognize',
  'confirms',
  'batches',
  'separator',
  'binary',
  'hashesIds',
  'slot',
  'conventions',
  'read',
]

/**
 * Defines a protocol for option `protocol`: how the messages of a connection are read as operations.
 *
 * @throws TypeError for a definition that is not complete
 */
export function defineProtocol(definition: ProtocolDefinition): Protocol {
  const { name, read } = definition
  if (typeof name !== 'string' || !/^[a-z][\w.-]{0,31}$/.test(name))
    throw new TypeError('name of a protocol must be 1 to 32 letters, digits, _, . or -, the first a lower-case letter')
  if (typeof read !== 'function') throw new TypeError(`protocol ${name} needs a function read`)
  for (const member of Object.keys(definition)) {
    if (!MEMBERS.includes(member)) throw new TypeError(`protocol ${name} has no member ${member}`)
  }
  return Object.freeze({ ...definition, isProtocol: true as const })
}

/** True for the result of {@link defineProtocol}. */
export function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && (value as Protocol).isProtocol === true
}
