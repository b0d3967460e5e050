import {
  type Context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
} from '@opentelemetry/api'
import { idsOf } from '../api/span.ts'

/** Key of the scope in its context. Registered, so that copies of this package agree. */
const SPAN_SCOPE_KEY = createContextKey('otel-ws span scope')

/** The API keeps its span key private: it is read by setting a span on an object that returns the key. */
const SPAN_KEY = trace.setSpan(
  { setValue: (key: symbol) => key } as never,
  trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 }),
) as unknown as symbol

/** In place of the ids of a span that is not shown any more. */
const DETACHED: SpanContext = { traceId: '', spanId: '', traceFlags: 0 }

/**
 * The context that user code runs in while one of our spans covers it. It is a context itself, so that running in it
 * costs one object and no copy of a map. Once the span has ended only its ids stay reachable: a timer or promise that
 * the user's code created keeps its context for as long as it lives, and must not keep a finished span alive.
 */
export abstract class SpanScope implements Context {
  readonly parent: Context
  /** The span, until it has ended. */
  span: Span | undefined
  #ids: SpanContext | undefined

  constructor(parent: Context, span: Span | undefined) {
    this.parent = parent
    this.span = span
  }

  /** True once the span has ended. */
  get ended(): boolean {
    return this.#ids !== undefined
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) {
      if (this.#ids !== undefined) return this.#ids === DETACHED ? undefined : trace.wrapSpanContext(this.#ids)
      return this.span ?? this.parent.getValue(key)
    }
    return key === SPAN_SCOPE_KEY ? this : this.parent.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new Overlay(this, new Map([[key, value]]))
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined)
  }

  /** True if the span is the one of this scope, and not a span of the application inside it. */
  owns(span: Span): boolean {
    return span === this.span || (this.#ids !== undefined && idsOf(span) === this.#ids)
  }

  /** Shows no span from now on: what starts in this context later begins a trace of its own. */
  protected detachSpan(): void {
    this.span = undefined
    this.#ids = DETACHED
  }

  /** Releases the ended span and keeps its ids. */
  protected releaseSpan(): void {
    if (this.span === undefined) return
    this.#ids = idsOf(this.span) ?? INVALID_SPAN_CONTEXT
    this.span = undefined
  }
}

/**
 * A scope with additional values of the application. It is flat, however many values are set one upon the other: a timer
 * that starts a span and sets itself again makes a chain without end.
 */
class Overlay implements Context {
  readonly #scope: SpanScope
  readonly #values: ReadonlyMap<symbol, unknown>

  constructor(scope: SpanScope, values: ReadonlyMap<symbol, unknown>) {
    this.#scope = scope
    this.#values = values
  }

  getValue(key: symbol): unknown {
    return this.#values.has(key) ? this.#values.get(key) : this.#scope.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new Overlay(this.#scope, new Map(this.#values).set(key, value))
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined)
  }
}

/** The innermost scope of a context. */
export function spanScopeOf(context: Context): unknown {
  return context.getValue(SPAN_SCOPE_KEY)
}

/** The active span of a context. */
export function spanOf(context: Context): Span | undefined {
  return context.getValue(SPAN_KEY) as Span | undefined
}

/** The context without its span, for spans that start a trace; all other values stay. */
export function withoutSpan(context: Context): Context {
  if (context === ROOT_CONTEXT || context.getValue(SPAN_KEY) === undefined) return context
  return context.deleteValue(SPAN_KEY)
}

/** A context whose span is the given one, for spans that are started as its children. */
export function withSpan(context: Context, span: Span): Context {
  return context.setValue(SPAN_KEY, span)
}
