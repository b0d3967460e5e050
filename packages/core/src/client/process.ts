import type { Context, Span } from '@opentelemetry/api'
import { isRecording } from '../api/span.ts'
import { unref } from '../context/deadlines.ts'
import { ADOPTION_TIME, Operation, type OperationOwner } from '../context/operation.ts'
import type { MeasuredProcess } from '../operations/operation-process.ts'
import type { HandlerInfo, TelemetryOptions } from '../options/types.ts'
import type { MessageName } from '../span/names.ts'
import type { ClientSeries } from './metrics.ts'

/** Milliseconds after which the span of a message whose handlers do not settle ends. */
const MAX_AGE = 600_000

/** The members of a connection that a process uses. */
export interface ClientProcessOwner extends OperationOwner {
  readonly id: string | undefined
  readonly route: string | undefined
  readonly telemetry: {
    readonly options: Pick<TelemetryOptions, 'followPromises' | 'around' | 'isError'>
    promiseNotFollowed(handler: unknown): void
    callHook<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined
    hookFailed(name: string, error: unknown): void
  }
}

/** The dispatch of one message to all handlers of a client. */
export class ClientProcess extends Operation implements MeasuredProcess {
  override readonly owner: ClientProcessOwner
  readonly message: MessageName
  readonly #series: ClientSeries | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    owner: ClientProcessOwner,
    series: ClientSeries | undefined,
    message: MessageName,
    active: Context,
    span: Span | undefined,
  ) {
    super(active, span, series?.recording || isRecording(span) ? performance.now() : 0)
    this.owner = owner
    this.#series = series
    this.message = message
    series?.started()
  }

  override get adopts(): boolean {
    return this.endedAt === 0 || this.now() - this.endedAt < ADOPTION_TIME
  }

  protected override get followsAll(): boolean {
    return this.owner.telemetry.options.followPromises === 'all'
  }

  /** The argument of hooks that are called for the handlers. */
  get handlerInfo(): HandlerInfo {
    const { id = '', route } = this.owner
    return { kind: 'message', connectionId: id, route, name: this.message.name }
  }

  protected override isError(error: unknown): boolean {
    const { telemetry } = this.owner
    const { isError } = telemetry.options
    return isError === undefined || telemetry.callHook('isError', isError, error, this.handlerInfo) !== false
  }

  /** True if the handlers have failed, and option `isError` does not say that this is no error. */
  get countsAsFailed(): boolean {
    return this.failed && this.isError(this.error)
  }

  protected override onNotFollowed(handler: unknown): void {
    this.owner.telemetry.promiseNotFollowed(handler)
  }

  protected override now(): number {
    return performance.now()
  }

  protected override startDeadline(): void {
    this.#timer = unref(setTimeout(() => this.expire('age'), MAX_AGE))
  }

  protected override clearDeadline(): void {
    clearTimeout(this.#timer)
  }

  leave(): void {
    if (this.#series !== undefined) this.#series.processing--
  }

  recordDuration(handledAt: number, isCut: boolean): void {
    this.#series?.record(this, handledAt, isCut)
  }

  protected override onHandled(isCut: boolean): void {
    this.leave()
    this.recordDuration(performance.now(), isCut)
  }

  protected override onFailedLate(error: unknown): void {
    this.#series?.failedLate(this, error)
  }
}
