import { TestTelemetry } from '@otel-ws/testing'
import { undocumented } from './reference.ts'

/** The SDK in memory of `@otel-ws/testing`, which checks in addition that what was recorded is documented. */
export class Telemetry extends TestTelemetry {
  #isInstalled = false

  override install(): void {
    super.install()
    this.#isInstalled = true
  }

  /**
   * Removes the SDK.
   *
   * @throws if docs/telemetry.md lacks something that was recorded
   */
  override async uninstall(): Promise<void> {
    // A test may have removed it before.
    const rows = this.#isInstalled ? await this.collect() : []
    this.#isInstalled = false
    const problems = undocumented(this.spans(), rows)
    await super.uninstall()
    if (problems.length > 0) throw new Error(`docs/telemetry.md lacks ${problems.join(', ')}`)
  }
}
