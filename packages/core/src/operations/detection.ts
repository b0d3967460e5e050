import type { Span } from '@opentelemetry/api'
import { MessageReader, READ_HEAD_BYTES } from '../protocols/message-reader.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { recognizeProtocol } from '../protocols/registry.ts'
import type { MessageReading, OperationHost } from './host.ts'

/** Messages of either direction that are looked at. */
const MAX_MESSAGES = 8

const reader = /* @__PURE__ */ new MessageReader()

/**
 * Finds the protocol of connections whose subprotocol does not say it, by their first messages. It has no state of its own:
 * one is used for all connections.
 */
export class Detection<P, M> implements MessageReading<P, M> {
  readonly eventName: string | undefined = undefined
  readonly isSecret: boolean = false
  readonly plannedSpan: Span | undefined = undefined
  readonly slot: string | undefined = undefined
  readonly isRequest: boolean = false
  receive(data: unknown, binary: boolean, size: number, message: M, connection: OperationHost<P, M>): P | undefined {
    const found = this.#recognize(data, binary, size, connection, false)
    return found?.receive(data, binary, size, message, connection)
  }

  send(data: unknown, binary: boolean, size: number, connection: OperationHost<P, M>): boolean {
    return this.#recognize(data, binary, size, connection, true)?.send(data, binary, size, connection) === true
  }

  accepted(): void {}

  refused(): void {}

  close(): void {}

  #recognize(
    data: unknown,
    binary: boolean,
    size: number,
    connection: OperationHost<P, M>,
    isSent: boolean,
  ): MessageReading<P, M> | undefined {
    const isLast = connection.received + connection.sent >= MAX_MESSAGES
    const protocol = binary ? undefined : protocolOf(data, size, connection)
    if (protocol !== undefined) return connection.useProtocol(protocol, isSent)
    if (isLast) connection.useProtocol(undefined)
    return undefined
  }
}

function protocolOf(
  data: unknown,
  size: number,
  connection: Pick<OperationHost<never, never>, 'textOf'>,
): Protocol | undefined {
  const isWhole = size <= READ_HEAD_BYTES
  // What is recognised is JSON.
  const first = connection.textOf(data, 0, 1)
  if (first !== '{' && first !== '[') return undefined
  reader.load(connection.textOf(data, 0, isWhole ? size : READ_HEAD_BYTES), '', isWhole)
  reader.enterFirstRecord()
  return recognizeProtocol(reader)
}
