/**
 * Gives a wrapper the name and the kind of the handler that it calls: telemetry then takes it for an `async` function too,
 * and no further promise is made.
 */
export function kindOf<W extends object>(handler: object, wrapper: W): W {
  Object.defineProperty(wrapper, 'name', { value: (handler as { readonly name?: unknown }).name, configurable: true })
  return Object.setPrototypeOf(wrapper, Object.getPrototypeOf(handler) as object) as W
}
