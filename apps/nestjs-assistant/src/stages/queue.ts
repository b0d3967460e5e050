import type { OnModuleDestroy } from '@nestjs/common'
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { extractContext, injectContext } from '@otel-ws/nestjs'
import { Stage } from './stage.ts'

/** A job as it lies in the queue. The trace context is put into it, as for a broker on another machine. */
interface Envelope<Job> {
  readonly job: Job
  readonly since: number
}

/** An in-process queue with a few workers. A job runs in the trace in which it was added. */
export class Queue<Job> implements OnModuleDestroy {
  readonly #name: string
  readonly #workers: number
  readonly #work: (job: Job) => Promise<void>
  readonly #waiting: Envelope<Job>[] = []
  readonly #working = new Set<Promise<void>>()

  /** @param name what is done with a job: the name of its span */
  constructor(name: string, workers: number, work: (job: Job) => Promise<void>) {
    this.#name = name
    this.#workers = workers
    this.#work = work
  }

  /** Adds a job to the end. */
  add(job: Job): void {
    const stage = new Stage(`enqueue ${this.#name}`, SpanKind.PRODUCER)
    this.#waiting.push(stage.within(() => injectContext({ job, since: performance.now() })))
    stage.end()
    this.#next()
  }

  /** Waits until everything is done. */
  async onModuleDestroy(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  #next(): void {
    const envelope = this.#working.size < this.#workers ? this.#waiting.shift() : undefined
    if (envelope === undefined) return
    const working = this.#handle(envelope).then(() => {
      this.#working.delete(working)
      this.#next()
    })
    this.#working.add(working)
  }

  /** A job that fails has said so itself; the others go on. */
  async #handle(envelope: Envelope<Job>): Promise<void> {
    // Not in the context of the previous job: only the envelope has the context of this one.
    const { payload, context } = extractContext(envelope, { context: ROOT_CONTEXT })
    const { job, since } = payload
    const work = (stage: Stage) => {
      stage.note({ 'assistant.waited_ms': Math.round(performance.now() - since) })
      return this.#work(job)
    }
    await Stage.run(this.#name, work, SpanKind.CONSUMER, context).catch(() => {})
  }
}
