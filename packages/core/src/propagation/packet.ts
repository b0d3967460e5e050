import { type Carrier, carrierFromObject } from './carrier.ts'
import type { ExtractedContext } from './terms.ts'

/** The part of the terms that packets need. */
interface PacketTerms {
  readonly member: { readonly name: string }
}

/**
 * Returns the data of a packet with the carrier as its last element, in a new list; `undefined` if the packet is to be
 * sent unchanged. If the last element of the data itself looks like a carrier, an empty one is added.
 */
export function injectIntoPacket(
  terms: PacketTerms,
  data: readonly unknown[],
  carrier: Carrier | undefined,
): unknown[] | undefined {
  const { name } = terms.member
  if (carrier === undefined && carrierElement(data.at(-1), name) === undefined) return undefined
  return [...data, { [name]: carrier ?? {} }]
}

/** Removes the carrier from the end of a packet's data and returns it; `undefined` if there is none. */
export function extractFromPacket(terms: PacketTerms, data: unknown[]): ExtractedContext | undefined {
  const found = carrierElement(data.at(-1), terms.member.name)
  if (found === undefined) return undefined
  const carrier = carrierFromObject(found)
  if (carrier === undefined) return { carrier: undefined, problem: 'malformed' }
  data.pop()
  return { carrier, problem: undefined }
}

/** The value of an element whose only member has the carrier's name. */
function carrierElement(element: unknown, name: string): object | undefined {
  if (typeof element !== 'object' || element === null || !Object.hasOwn(element, name)) return undefined
  const value = (element as Record<string, unknown>)[name]
  return typeof value === 'object' && value !== null && Object.keys(element).length === 1 ? value : undefined
}
