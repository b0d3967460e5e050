import type { Packet } from './host.ts'

/** Returns the name of a packet's event. */
export function eventName({ data }: Packet): string {
  return String(data?.[0])
}
