import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('nestjs-assistant')

/** A step on the way from what is said to what is answered: a span of the application's own. */
export class Stage {
  readonly #span: Span
  readonly #context: Context

  /** Starts a step of `parent`. */
  constructor(name: string, kind: SpanKind = SpanKind.INTERNAL, parent: Context = context.active()) {
    this.#span = tracer.startSpan(name, { kind }, parent)
    this.#context = trace.setSpan(parent, this.#span)
  }

  /** Runs work as one step, from its start to its end. */
  static async run<T>(
    name: string,
    work: (stage: Stage) => T | Promise<T>,
    kind?: SpanKind,
    parent?: Context,
  ): Promise<T> {
    const stage = new Stage(name, kind, parent)
    try {
      return await stage.within(() => work(stage))
    } catch (error) {
      stage.fail(error)
      throw error
    } finally {
      stage.end()
    }
  }

  /** Runs a part of the step: what it sends and starts stands below the step. */
  within<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  /** Says something about the step. */
  note(attributes: Attributes): void {
    this.#span.setAttributes(attributes)
  }

  /** Records that the step failed. */
  fail(error: unknown): void {
    const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown }
    this.#span.setAttribute('error.type', String(code ?? name ?? error))
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: String(message ?? error) })
  }

  /** Ends the step. */
  end(): void {
    this.#span.end()
  }
}
