import { WsException } from '@nestjs/websockets'

/** Why the assistant refused something; the code is part of the protocol. */
export type RefusalCode =
  | 'unauthenticated'
  | 'plan_required'
  | 'bad_request'
  | 'bad_frame'
  | 'busy'
  | 'not_listening'
  | 'too_long'
  | 'unintelligible'
  | 'not_understood'

/** A refusal: the caller gets it as an `exception` event, the trace as an error of type `code`. */
export class Refusal extends WsException {
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string) {
    super({ code, message })
    this.name = 'Refusal'
    this.code = code
  }
}
