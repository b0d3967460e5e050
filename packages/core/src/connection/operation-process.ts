import type { Span } from '@opentelemetry/api'
import { withBatch, withOperation, withoutOwnSpan } from '../operations/operation-process.ts'
import { hasFailed } from '../operations/operation-telemetry.ts'
import { Process } from './process.ts'

/** The process of a message that begins an operation. */
export class OperationProcess extends withOperation(Process) {
  protected override get subject(): string | undefined {
    return this.operation.rawName ?? super.subject
  }

  /** It has failed by its answer too, or without one. */
  protected override get failure(): string | undefined {
    const { operation } = this
    return super.failure ?? (hasFailed(operation) ? (operation.errorCode ?? operation.outcome) : undefined)
  }

  protected override describeEnd(span: Span): void {
    super.describeEnd(span)
    // The span of a message that was sampled is described when the answer is sent.
    if (this.unsampled !== undefined) this.operation.owner.describe(this.operation, span)
  }
}

/** The process of a message with several requests. */
export class BatchProcess extends withBatch(Process) {}

/** The dispatch of a message that has no span of its own. */
export class QuietProcess extends withoutOwnSpan(Process) {}
