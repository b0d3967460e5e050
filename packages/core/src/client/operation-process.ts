import { withBatch, withOperation, withoutOwnSpan } from '../operations/operation-process.ts'
import { ClientProcess } from './process.ts'

/** The process of a request that the server has sent. */
export class ClientOperationProcess extends withOperation(ClientProcess) {}

/** The process of a message with several requests. */
export class ClientBatchProcess extends withBatch(ClientProcess) {}

/** The dispatch of a message that has no span of its own. */
export class ClientQuietProcess extends withoutOwnSpan(ClientProcess) {}
