import type { OperationSettings } from '../operations/host.ts'
import { OperationDeadlines } from '../operations/operation-deadlines.ts'
import { OperationNames } from '../operations/operation-names.ts'
import type { ResolvedOptions } from '../options/resolve.ts'
import { SendBatch } from '../outgoing/batch.ts'
import type { HostDriver, Scope } from '../services/driver.ts'
import { Services } from '../services/services.ts'
import { AggregateWindows } from './aggregate.ts'
import { Heartbeat } from './heartbeat.ts'
import { SlowConsumers } from './slow-consumers.ts'

/** {@link Services} with the parts that act on connections. */
export class ConnectionServices extends Services {
  readonly sendBatch: SendBatch
  readonly heartbeat: Heartbeat | undefined
  readonly slowConsumers: SlowConsumers
  /** For option `aggregate`. */
  readonly windows: AggregateWindows | undefined
  #operations: (OperationSettings & { readonly deadlines: OperationDeadlines }) | undefined

  constructor(options: ResolvedOptions, scope: Scope, driver: HostDriver<unknown>) {
    super(options, scope, driver)
    this.sendBatch = new SendBatch(this)
    this.slowConsumers = new SlowConsumers(this)
    this.windows = options.aggregate && new AggregateWindows()
    if (options.heartbeatInterval !== undefined && driver.ping !== undefined) {
      this.heartbeat = new Heartbeat(options.heartbeatInterval, options)
    }
  }

  /** What the operations of all connections have in common: created for the first connection with a protocol. */
  get operationSettings(): OperationSettings {
    const { operationNames, maxOperations, maxOperationAge, streamItems, maxChildSpans } = this.options
    this.#operations ??= {
      names: new OperationNames(operationNames),
      deadlines: new OperationDeadlines(maxOperationAge),
      maxOperations,
      streamItems,
      maxChildSpans,
    }
    return this.#operations
  }

  /** Ends the operations that are not answered. */
  endOperations(): void {
    this.#operations?.deadlines.shutdown()
  }
}
