import { type Context, propagation, ROOT_CONTEXT, type SpanContext } from '@opentelemetry/api'
import type { RemoteContext } from '../options/types.ts'
import { type Carrier, carrierFromSpanContext, spanContextOf } from './carrier.ts'
import { type CarrierProblem, JsonMember } from './json-member.ts'
import { AGREED_MEMBER } from './negotiation.ts'

/** What both ends of a connection have agreed on, or the user has declared. Connections that agree on the same share one. */
export interface PropagationTerms {
  readonly member: JsonMember
  /** What a context that comes in is used for. */
  readonly trust: RemoteContext
  readonly takesBaggage: boolean
  readonly sendsBaggage: boolean
}

/** What came in with a message. */
export interface IncomingContext {
  readonly spanContext: SpanContext | undefined
  /** In its text form. */
  readonly baggage: string | undefined
  readonly problem: CarrierProblem | 'invalid' | undefined
}

/** Agreements and members: few, since they come from options. */
const agreements = new Map<string, PropagationTerms>()
const members = new Map<string, JsonMember>()

/** The one agreement of these terms. */
export function propagationTerms(
  trust: RemoteContext,
  takesBaggage: boolean,
  sendsBaggage: boolean,
  name: string = AGREED_MEMBER,
): PropagationTerms {
  const key = `${trust} ${takesBaggage} ${sendsBaggage} ${name}`
  let agreement = agreements.get(key)
  if (agreement === undefined) {
    agreement = { member: jsonMember(name), trust, takesBaggage, sendsBaggage }
    agreements.set(key, agreement)
  }
  return agreement
}

/** The member of that name. */
export function jsonMember(name: string = AGREED_MEMBER): JsonMember {
  let member = members.get(name)
  if (member === undefined) {
    member = new JsonMember(name)
    members.set(name, member)
  }
  return member
}

/** Reads what a carrier says. */
export function parseCarrier(carrier: Carrier | undefined, problem: CarrierProblem | undefined): IncomingContext {
  if (carrier === undefined) return { spanContext: undefined, baggage: undefined, problem }
  const spanContext = spanContextOf(carrier)
  const invalid = spanContext === undefined && carrier.traceparent !== undefined
  return { spanContext, baggage: carrier.baggage, problem: invalid ? 'invalid' : undefined }
}

/** Reads a carrier that a hook of the application's returned, which may be anything. */
export function parseHookCarrier(found: unknown): IncomingContext | undefined {
  if (typeof found !== 'object' || found === null) return undefined
  const { traceparent, tracestate, baggage } = found as Record<string, unknown>
  if (typeof traceparent !== 'string') return undefined
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return parseCarrier({ traceparent, tracestate: text(tracestate), baggage: text(baggage) }, undefined)
}

/** A carrier with a span's context and, where it may go out, the baggage of `active`. */
export function createCarrier(
  spanContext: SpanContext | undefined,
  active: Context,
  sendsBaggage: boolean,
): Carrier | undefined {
  return carrierFromSpanContext(spanContext, sendsBaggage ? baggageText(active) : undefined)
}

/** The baggage of a context, in the form that the registered propagator gives it; `undefined` when it has none to give. */
function baggageText(active: Context): string | undefined {
  const baggage = propagation.getBaggage(active)
  if (baggage === undefined) return undefined
  const carrier: { baggage?: unknown } = {}
  try {
    propagation.inject(propagation.setBaggage(ROOT_CONTEXT, baggage), carrier)
  } catch {
    return undefined
  }
  return typeof carrier.baggage === 'string' ? carrier.baggage : undefined
}

/** The context with the baggage that came with a message, as far as the registered propagator reads it. */
export function withBaggage(base: Context, text: string | undefined): Context {
  if (text === undefined) return base
  try {
    const baggage = propagation.getBaggage(propagation.extract(ROOT_CONTEXT, { baggage: text }))
    return baggage === undefined ? base : propagation.setBaggage(base, baggage)
  } catch {
    return base
  }
}

/** A view of the bytes of a payload that a host takes as they are; `undefined` for others. */
export function textPayload(data: unknown): string | Uint8Array | undefined {
  if (typeof data === 'string' || data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : undefined
}
