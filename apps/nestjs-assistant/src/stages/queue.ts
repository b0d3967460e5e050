import type { OnModuleDestroy } from '@nestjs/common'
import { context, propagation, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { Stage } from './stage.ts'

/** A job as it lies in the queue: the trace context is part of what is stored, as with a broker on another machine. */
interface Envelope<Job> {
  readonly job: Job
  readonly carrier: Record<string, string>
  readonly since: number
}

/** An in-process queue with a few workers. Whoever works on a job does so in the trace of whoever added it. */
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
    const carrier: Record<string, string> = {}
    stage.within(() => propagation.inject(context.active(), carrier))
    this.#waiting.push({ job, carrier, since: performance.now() })
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
  async #handle({ job, carrier, since }: Envelope<Job>): Promise<void> {
    const work = (stage: Stage) => {
      stage.note({ 'assistant.waited_ms': Math.round(performance.now() - since) })
      return this.#work(job)
    }
    const parent = propagation.extract(ROOT_CONTEXT, carrier)
    await Stage.run(this.#name, work, SpanKind.CONSUMER, parent).catch(() => {})
  }
}
