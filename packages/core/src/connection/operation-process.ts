import { withBatch, withOperation, withoutOwnSpan } from '../operations/operation-process.ts'
import { Process } from './process.ts'

/** The process of a message that begins an operation. */
export class OperationProcess extends withOperation(Process) {}

/** The process of a message with several requests. */
export class BatchProcess extends withBatch(Process) {}

/** The dispatch of a message that has no span of its own. */
export class QuietProcess extends withoutOwnSpan(Process) {}
