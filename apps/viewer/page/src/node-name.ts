/** Names a process among others: by its instance where that is known, else by its service. */
export function nodeName(service: string, instance: string): string {
  // An id that a machine has made says no more in full.
  return instance === '' ? service : instance.length > 20 ? `${instance.slice(0, 8)}…` : instance
}
