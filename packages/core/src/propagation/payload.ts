import { type Context, trace } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { idsOf } from '../api/span.ts'
import { type Carrier, carrierFromObject, isPlainObject } from './carrier.ts'
import { AGREED_MEMBER, isMemberName } from './negotiation.ts'
import { createCarrier, jsonMember, parseCarrier, withBaggage } from './terms.ts'

/** Options of {@link injectContext} and {@link extractContext}. */
export interface CarrierOptions {
  /** The context to inject, or the base of the extracted one. Default: the active context. */
  readonly context?: Context
  /** Name of the carrier's member, the same on both ends. Default `_otel`. */
  readonly carrierName?: string
}

/** Result of {@link extractContext}. */
export interface Extracted<T> {
  /** The payload as it was before {@link injectContext}. */
  readonly payload: T
  /** For `context.with`: code that runs in it continues the sender's trace, and has its baggage. */
  readonly context: Context
}

/**
 * Injects trace context and baggage into a payload for a broker or queue of the application. A JSON text, or its bytes,
 * whose top level is an object gets one more first member; a plain object is copied with one more member. Any other
 * payload is returned as it is.
 *
 * @throws TypeError for a `carrierName` that is not a plain name
 */
export function injectContext<T>(payload: T, options: CarrierOptions = {}): T {
  const name = validName(options.carrierName)
  const active = options.context ?? activeContext()
  const carrier = createCarrier(idsOf(trace.getSpan(active)), active, true)
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    const member = jsonMember(name)
    if (!member.canCarry(payload) || (carrier === undefined && !member.mustEscape(payload, false))) return payload
    const injected: string | Uint8Array = member.insert(payload as string | Uint8Array, carrier ?? {})
    return (typeof injected === 'string' ? injected : asBuffer(injected, payload as Uint8Array)) as T
  }
  if (carrier === undefined || !isPlainObject(payload)) return payload
  // A member of this name that is not a carrier belongs to the application.
  if (Object.hasOwn(payload, name) && carrierFromObject(payload[name]) === undefined) return payload
  const { [name]: _, ...rest } = payload
  return { [name]: carrier, ...rest } as T
}

/**
 * Removes the carrier that {@link injectContext} has added to a payload. Never throws on a payload: a payload without a
 * valid carrier is returned as it is, with the active context.
 *
 * @throws TypeError for a `carrierName` that is not a plain name
 */
export function extractContext<T>(payload: T, options: CarrierOptions = {}): Extracted<T> {
  const name = validName(options.carrierName)
  const base = options.context ?? activeContext()
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    const member = jsonMember(name)
    if (!member.mustEscape(payload, false)) return { payload, context: base }
    // The application's bytes must not change, so a copy is edited.
    const text: string | Uint8Array = typeof payload === 'string' ? payload : new Uint8Array(payload)
    const found = member.extract(text)
    if (found?.carrier === undefined) return { payload, context: base }
    const own = typeof found.payload === 'string' ? found.payload : asBuffer(found.payload, payload as Uint8Array)
    return { payload: own as T, context: contextFromCarrier(found.carrier, base) }
  }
  if (!isPlainObject(payload) || !Object.hasOwn(payload, name)) return { payload, context: base }
  const carrier = carrierFromObject(payload[name])
  if (carrier === undefined) return { payload, context: base }
  const { [name]: _, ...rest } = payload
  return { payload: rest as T, context: contextFromCarrier(carrier, base) }
}

function contextFromCarrier(carrier: Carrier, base: Context): Context {
  const { spanContext, baggage } = parseCarrier(carrier, undefined)
  const extended = withBaggage(base, baggage)
  return spanContext === undefined ? extended : trace.setSpanContext(extended, spanContext)
}

interface BufferClass {
  isBuffer(value: unknown): boolean
  from(memory: ArrayBufferLike, offset: number, length: number): Uint8Array
}

/** The same bytes as a Node `Buffer`, where the model is one. */
function asBuffer(bytes: Uint8Array, model: Uint8Array): Uint8Array {
  const { Buffer: host } = globalThis as { Buffer?: BufferClass }
  return host?.isBuffer(model) === true ? host.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes
}

function validName(name: string = AGREED_MEMBER): string {
  if (!isMemberName(name)) throw new TypeError(`otel-ws: carrierName must be a plain name; got '${String(name)}'`)
  return name
}
