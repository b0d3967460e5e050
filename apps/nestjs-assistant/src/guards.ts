import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'
import { Refusal } from './errors.ts'
import { Sessions } from './session.ts'

/** Lets in who said who they are. */
@Injectable()
export class IdentityGuard implements CanActivate {
  readonly #sessions: Sessions

  constructor(@Inject(Sessions) sessions: Sessions) {
    this.#sessions = sessions
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.#sessions.of(context.switchToWs().getClient()).user !== undefined) return true
    throw new Refusal('unauthenticated', 'say who you are')
  }
}

/** Lets in who pays. */
@Injectable()
export class SubscriberGuard implements CanActivate {
  readonly #sessions: Sessions

  constructor(@Inject(Sessions) sessions: Sessions) {
    this.#sessions = sessions
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.#sessions.of(context.switchToWs().getClient()).isSubscriber) return true
    throw new Refusal('plan_required', 'the history is for subscribers')
  }
}
