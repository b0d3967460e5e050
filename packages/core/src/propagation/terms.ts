import { type Context, propagation, ROOT_CONTEXT, type SpanContext } from '@opentelemetry/api'
import { extract, inject } from '../api/propagation.ts'
import { type Carrier, carrierFromSpanContext, isBroadcastCarrier, spanContextOf } from './carrier.ts'
import { type CarrierProblem, JsonMember } from './json-member.ts'
import { AGREED_MEMBER } from './negotiation.ts'
import type { RemoteContext } from './remote-context.ts'

/**
 * Terms of context in messages that both ends of a connection have agreed on, or that the options declare. Connections
 * with the same terms share one object.
 */
export interface PropagationTerms {
  readonly member: JsonMember
  /** Use of a context that the peer sends. */
  readonly trust: RemoteContext
  readonly takesBaggage: boolean
  readonly sendsBaggage: boolean
  /** The options declare them: the peer has not agreed. */
  readonly isDeclared: boolean
}

/** A carrier that was extracted from a message and is not parsed yet. */
export interface ExtractedContext {
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
}

/** The context that came with a message. */
export interface IncomingContext {
  readonly spanContext: SpanContext | undefined
  /** In the text form of the propagator. */
  readonly baggage: string | undefined
  readonly problem: CarrierProblem | 'invalid' | undefined
  /** Other messages may have the same context: it is that of a broadcast, or of the application. */
  readonly isShared: boolean
}

/** Few, because they are combinations of options. */
const known = new Map<string, PropagationTerms>()
const members = new Map<string, JsonMember>()

/** The shared object for these terms. */
export function propagationTerms(
  trust: RemoteContext,
  takesBaggage: boolean,
  sendsBaggage: boolean,
  declaredName?: string,
): PropagationTerms {
  const name = declaredName ?? AGREED_MEMBER
  const isDeclared = declaredName !== undefined
  const key = `${trust} ${takesBaggage} ${sendsBaggage} ${isDeclared} ${name}`
  let terms = known.get(key)
  if (terms === undefined) {
    terms = { member: jsonMember(name), trust, takesBaggage, sendsBaggage, isDeclared }
    known.set(key, terms)
  }
  return terms
}

/** The shared member of this name. */
export function jsonMember(name: string = AGREED_MEMBER): JsonMember {
  let member = members.get(name)
  if (member === undefined) {
    member = new JsonMember(name)
    members.set(name, member)
  }
  return member
}

/** Parses a carrier. */
export function parseCarrier(carrier: Carrier | undefined, problem: CarrierProblem | undefined): IncomingContext {
  if (carrier === undefined) return { spanContext: undefined, baggage: undefined, problem, isShared: false }
  const spanContext = spanContextOf(carrier)
  const invalid = spanContext === undefined && carrier.traceparent !== undefined
  return {
    spanContext,
    baggage: carrier.baggage,
    problem: invalid ? 'invalid' : undefined,
    isShared: isBroadcastCarrier(carrier),
  }
}

/** Parses a carrier that a hook of the application returned; other values are ignored. */
export function parseHookCarrier(found: unknown): IncomingContext | undefined {
  if (typeof found !== 'object' || found === null) return undefined
  try {
    const { traceparent, tracestate, baggage } = found as Record<string, unknown>
    if (typeof traceparent !== 'string') return undefined
    const asText = (value: unknown) => (typeof value === 'string' ? value : undefined)
    const carrier = { traceparent, tracestate: asText(tracestate), baggage: asText(baggage) }
    return { ...parseCarrier(carrier, undefined), isShared: true }
  } catch {
    // An object with a getter that throws.
    return undefined
  }
}

/** Creates a carrier with a span's context and, if the terms allow it, the baggage of `active`. */
export function createCarrier(
  spanContext: SpanContext | undefined,
  active: Context,
  sendsBaggage: boolean,
): Carrier | undefined {
  return carrierFromSpanContext(spanContext, sendsBaggage ? baggageText(active) : undefined)
}

/** The baggage of a context in the text form of the registered propagator. */
function baggageText(active: Context): string | undefined {
  const baggage = propagation.getBaggage(active)
  if (baggage === undefined) return undefined
  const carrier: { baggage?: unknown } = {}
  inject(propagation.setBaggage(ROOT_CONTEXT, baggage), carrier)
  return typeof carrier.baggage === 'string' ? carrier.baggage : undefined
}

/** Adds baggage in the text form of the registered propagator to a context. */
export function withBaggage(base: Context, text: string | undefined): Context {
  if (text === undefined) return base
  const baggage = propagation.getBaggage(extract(ROOT_CONTEXT, { baggage: text }))
  return baggage === undefined ? base : propagation.setBaggage(base, baggage)
}

/** The payload as text or as a view of its bytes; `undefined` for payloads that are neither. */
export function textPayload(data: unknown): string | Uint8Array | undefined {
  if (typeof data === 'string' || data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : undefined
}
