import { Detection } from '../operations/detection.ts'
import type { MessageReading, OperationHost } from '../operations/host.ts'
import { Operations } from '../operations/operations.ts'
import type { OperationInstruments } from '../operations/recorder.ts'
import type { UpgradeRequest } from '../options/types.ts'
import { isProtocol, type Protocol } from '../protocols/protocol.ts'
import { protocolNamed, protocolOfSubprotocol } from '../protocols/registry.ts'
import { ATTR_WEBSOCKET_PROTOCOL } from '../schema.ts'
import type { IncomingMessage } from './incoming.ts'
import { OutgoingConnection } from './outgoing.ts'
import type { Process } from './process.ts'

/** One for all connections. */
const DETECTION = /* @__PURE__ */ new Detection<Process, IncomingMessage>()

/** A connection whose messages are those of a protocol. */
export abstract class OperatingConnection
  extends OutgoingConnection
  implements OperationHost<Process, IncomingMessage>
{
  /** Sets how the messages are read: as option `protocol` says, else by the subprotocol, else by the first messages. */
  chooseProtocol(request: UpgradeRequest): void {
    const { services } = this
    if (services.driver.hasRawMessages !== true) return
    const { protocol: option } = services.options
    const chosen =
      typeof option === 'function' ? services.callHook('protocol', option, request, this.subprotocol) : option
    if (chosen === false) return
    const protocol = isProtocol(chosen)
      ? chosen
      : typeof chosen === 'string'
        ? protocolNamed(chosen)
        : protocolOfSubprotocol(this.subprotocol)
    if (protocol === undefined) this.operations = DETECTION
    else {
      this.useProtocol(protocol)
      this.protocolConfirmed(protocol)
    }
  }

  useProtocol(
    protocol: Protocol | undefined,
    isConfirmed = true,
  ): MessageReading<Process, IncomingMessage> | undefined {
    const settings = this.services.operationSettings
    this.operations = protocol && new Operations(this.operationHost, protocol, settings, isConfirmed)
    return this.operations
  }

  protocolConfirmed(protocol: Protocol): void {
    this.setAttribute(ATTR_WEBSOCKET_PROTOCOL, protocol.name)
  }

  get instruments(): OperationInstruments {
    return this.services.metrics
  }

  textOf(data: unknown, start: number, end: number): string {
    return this.services.driver.text(data, start, end)
  }

  traces(direction: 'receive' | 'send'): boolean {
    const { tracer, options } = this.services
    return tracer !== undefined && options.messages && (direction === 'receive' || options.outgoing)
  }

  protocolFailed(error: unknown): void {
    this.services.diagnostics.hookFailed('protocol', error)
  }

  protected get operationHost(): OperationHost<Process, IncomingMessage> {
    return this
  }
}
