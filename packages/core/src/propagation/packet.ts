import { type Carrier, carrierFromObject } from './carrier.ts'
import { type IncomingContext, parseCarrier } from './terms.ts'

/** As much of an agreement as packets need. */
interface Agreement {
  readonly member: { readonly name: string }
}

/**
 * The data of a packet with the carrier as its last element, in a new list; `undefined` when the packet is to go as it
 * is. Data whose own last element could be taken for a carrier gets an empty one.
 */
export function injectIntoPacket(
  agreement: Agreement,
  data: readonly unknown[],
  carrier: Carrier | undefined,
): unknown[] | undefined {
  const { name } = agreement.member
  if (carrier === undefined && enclosed(data.at(-1), name) === undefined) return undefined
  return [...data, { [name]: carrier ?? {} }]
}

/** Takes the carrier from the end of a packet's data, and returns what it says; `undefined` when there is none. */
export function extractFromPacket(agreement: Agreement, data: unknown[]): IncomingContext | undefined {
  const found = enclosed(data.at(-1), agreement.member.name)
  if (found === undefined) return undefined
  const carrier = carrierFromObject(found)
  if (carrier === undefined) return parseCarrier(undefined, 'malformed')
  data.pop()
  return parseCarrier(carrier, undefined)
}

/** The only member of an element that looks like one with a carrier. */
function enclosed(element: unknown, name: string): object | undefined {
  if (typeof element !== 'object' || element === null || !Object.hasOwn(element, name)) return undefined
  const value = (element as Record<string, unknown>)[name]
  return typeof value === 'object' && value !== null && Object.keys(element).length === 1 ? value : undefined
}
