import type { ResolvedOptions } from '../options/resolve.ts'
import { SendBatch } from '../outgoing/batch.ts'
import type { HostDriver, Scope } from '../services/driver.ts'
import { Services } from '../services/services.ts'
import { Heartbeat } from './heartbeat.ts'
import { SlowConsumers } from './slow-consumers.ts'

/** {@link Services} with the parts that act on connections. */
export class ConnectionServices extends Services {
  readonly sendBatch: SendBatch
  readonly heartbeat: Heartbeat | undefined
  readonly slowConsumers: SlowConsumers

  constructor(options: ResolvedOptions, scope: Scope, driver: HostDriver<unknown>) {
    super(options, scope, driver)
    this.sendBatch = new SendBatch(this)
    this.slowConsumers = new SlowConsumers(this)
    if (options.heartbeatInterval !== undefined && driver.ping !== undefined) {
      this.heartbeat = new Heartbeat(options.heartbeatInterval, options)
    }
  }
}
