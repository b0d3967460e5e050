import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'

interface Waiter {
  readonly done: () => boolean
  readonly resolve: () => void
}

/** Keeps every span that starts and ends, and checks what is waited for each time that one does. */
export class RecordingProcessor implements SpanProcessor {
  /** Names of open spans by their ids. */
  readonly open = new Map<string, string>()
  readonly finished: ReadableSpan[] = []
  started = 0
  ended = 0
  readonly #waiters = new Set<Waiter>()

  onStart(span: Span): void {
    this.started++
    this.open.set(span.spanContext().spanId, span.name)
    this.#wake()
  }

  onEnd(span: ReadableSpan): void {
    this.ended++
    this.open.delete(span.spanContext().spanId)
    this.finished.push(span)
    this.#wake()
  }

  /** Calls `resolve` as soon as `done` returns true; returns a function that gives up. */
  wait(done: () => boolean, resolve: () => void): () => void {
    const waiter = { done, resolve }
    this.#waiters.add(waiter)
    return () => this.#waiters.delete(waiter)
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (waiter.done()) {
        this.#waiters.delete(waiter)
        waiter.resolve()
      }
    }
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}
