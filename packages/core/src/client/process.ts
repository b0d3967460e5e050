import type { Context, Span } from '@opentelemetry/api'
import { isRecording } from '../api/span.ts'
import { unref } from '../context/deadlines.ts'
import { ADOPTION_TIME, Operation, type OperationOwner } from '../context/operation.ts'
import type { MeasuredProcess } from '../operations/operation-process.ts'
import type { MessageName } from '../span/names.ts'
import type { ClientSeries } from './metrics.ts'

/** Milliseconds after which the span of a message whose handlers do not settle ends. */
const MAX_AGE = 600_000

/** The members of a connection that a process uses. */
export interface ClientProcessOwner extends OperationOwner {
  readonly telemetry: {
    readonly options: { readonly followPromises?: 'async-functions' | 'all' }
    promiseNotFollowed(handler: unknown): void
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
