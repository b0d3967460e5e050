import type { Attributes } from '@opentelemetry/api'
import * as schema from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import { LiveConnections } from './live-connections.ts'

export type UndeliveredReason = 'not_open' | 'error' | 'ack_timeout' | 'volatile'

/** Whether a message was sent to one connection or to several. */
export type MessageDelivery = 'personal' | 'broadcast'

/** The messages of one name. */
class NamedCounts {
  received = 0
  personal = 0
  broadcast = 0
}

/**
 * The numbers of all connections that share route, namespace and subprotocol: plain fields, incremented per message
 * and read when metrics are collected.
 */
export class Series {
  readonly attributes: Attributes
  readonly route: string | undefined
  readonly live = new LiveConnections()
  receivedText = 0
  receivedBinary = 0
  receivedBytes = 0
  sentText = 0
  sentBinary = 0
  sentBytes = 0
  processing = 0
  streams = 0
  missedPings = 0
  notOpen = 0
  sendErrors = 0
  ackTimeouts = 0
  volatileDrops = 0
  roomJoins = 0
  roomLeaves = 0
  /** Message spans that were not created because a connection exceeded its budget. */
  droppedSpans = 0
  /** Those that were not created because the process exceeded its budget. */
  droppedByProcess = 0
  /** Messages that option `keep` would have recorded, above its limit. */
  droppedByKeep = 0
  /** Connections that a closing server still holds; `undefined` until one closes. */
  draining: number | undefined
  /** Open operations by protocol. */
  readonly operations = new Map<string, number>()
  readonly #named = new Map<string, Attributes>()
  readonly #counts = new Map<string, NamedCounts>()

  constructor(attributes: Attributes) {
    this.attributes = attributes
    this.route = attributes[schema.ATTR_WEBSOCKET_ROUTE] as string | undefined
  }

  /** The messages that are counted by their names. */
  get namedCounts(): Iterable<[string, NamedCounts]> {
    return this.#counts
  }

  /** A message that was counted by its type has a name: it is counted by that instead. */
  receivedNamed(name: string, binary: boolean): void {
    if (binary) this.receivedBinary--
    else this.receivedText--
    this.#countsOf(name).received++
  }

  /** As {@link receivedNamed}, for a message that was sent. */
  sentNamed(name: string, binary: boolean, delivery: MessageDelivery): void {
    if (binary) this.sentBinary--
    else this.sentText--
    this.#countsOf(name)[delivery]++
  }

  /** A message that was counted as personal was sent to a second connection. */
  becameBroadcast(name: string): void {
    const counts = this.#countsOf(name)
    counts.personal--
    counts.broadcast++
  }

  #countsOf(name: string): NamedCounts {
    let counts = this.#counts.get(name)
    if (counts === undefined) {
      counts = new NamedCounts()
      this.#counts.set(name, counts)
    }
    return counts
  }

  /** Attributes of this series with a message name: one object per name, not per record. */
  named(name: MessageName): Attributes {
    if (name.name === undefined) return this.attributes
    let attributes = this.#named.get(name.name)
    if (attributes === undefined) {
      attributes = { ...this.attributes, [schema.ATTR_WEBSOCKET_MESSAGE_NAME]: name.name }
      this.#named.set(name.name, attributes)
    }
    return attributes
  }

  /** Attributes of this series with a message name and the type of an error. */
  failed(name: MessageName, type: string): Attributes {
    return { ...this.named(name), [schema.ATTR_ERROR_TYPE]: type }
  }

  /** Attributes of this series with a direction. */
  directed(direction: 'receive' | 'send'): Attributes {
    return { ...this.attributes, ...(direction === 'receive' ? RECEIVE : SEND) }
  }

  /** Callback of sends: counts those that report an error. One function for all sends without a callback of the application. */
  readonly onTransmitted = (error?: unknown): void => {
    if (error !== undefined && error !== null) this.sendErrors++
  }
}

export const RECEIVE = { [schema.ATTR_WEBSOCKET_MESSAGE_DIRECTION]: 'receive' }
export const SEND = { [schema.ATTR_WEBSOCKET_MESSAGE_DIRECTION]: 'send' }
