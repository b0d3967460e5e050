import { type Context, context, trace } from '@opentelemetry/api'
import { type Carrier, carrierFromObject, isPlainObject } from './carrier.ts'
import { AGREED_MEMBER, isMemberName } from './negotiation.ts'
import { createCarrier, jsonMember, parseCarrier, withBaggage } from './terms.ts'

/** Options of {@link injectContext} and {@link extractContext}. */
export interface CarrierOptions {
  /** The context to carry, or the one that what came is put on top of. Default: the active one. */
  readonly context?: Context
  /** Name of the member that carries it, the same on both sides. Default `_otel`. */
  readonly carrierName?: string
}

/** What {@link extractContext} returns. */
export interface Extracted<T> {
  /** The payload as it was before {@link injectContext}. */
  readonly payload: T
  /** For `context.with`: what runs in it continues the sender's trace, and has its baggage. */
  readonly context: Context
}

/**
 * Puts trace context and baggage into a payload for a broker or queue of your own. A JSON text, or its bytes, whose top
 * level is an object gets one more member at its front and is the same otherwise; a plain object is copied with one more
 * member. Every other payload comes back as it is and carries nothing.
 *
 * @throws TypeError for a `carrierName` that is no plain name
 */
export function injectContext<T>(payload: T, options: CarrierOptions = {}): T {
  const name = validName(options.carrierName)
  const active = options.context ?? context.active()
  const carrier = createCarrier(trace.getSpanContext(active), active, true)
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    const member = jsonMember(name)
    if (!member.canCarry(payload) || (carrier === undefined && !member.mustEscape(payload, false))) return payload
    const injected: string | Uint8Array = member.insert(payload as string | Uint8Array, carrier ?? {})
    return (typeof injected === 'string' ? injected : asBuffer(injected, payload as Uint8Array)) as T
  }
  if (carrier === undefined || !isPlainObject(payload)) return payload
  // A member of this name that is no carrier is the application's own.
  if (Object.hasOwn(payload, name) && carrierFromObject(payload[name]) === undefined) return payload
  const { [name]: _, ...rest } = payload
  return { [name]: carrier, ...rest } as T
}

/**
 * Takes out what {@link injectContext} put into a payload. Never throws on a payload, whoever made it: what is no carrier
 * stays where it is, and the context is then the active one.
 *
 * @throws TypeError for a `carrierName` that is no plain name
 */
export function extractContext<T>(payload: T, options: CarrierOptions = {}): Extracted<T> {
  const name = validName(options.carrierName)
  const base = options.context ?? context.active()
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    const member = jsonMember(name)
    if (!member.mustEscape(payload, false)) return { payload, context: base }
    // The bytes are the application's, and others may be reading them: a copy is worked on.
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
