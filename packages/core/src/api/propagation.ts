import { type Context, defaultTextMapGetter, propagation, type TextMapGetter } from '@opentelemetry/api'
import { reportThrown } from './log.ts'

/** Injects a context into a carrier by the registered propagator. If that throws, the carrier stays as it is then. */
export function inject(active: Context, carrier: object): void {
  try {
    propagation.inject(active, carrier)
  } catch (error) {
    reportThrown('propagation.inject()', error)
  }
}

/** Extracts a context from a carrier by the registered propagator; `active` if that throws. */
export function extract<C>(active: Context, carrier: C, getter: TextMapGetter<C> = defaultTextMapGetter): Context {
  try {
    return propagation.extract(active, carrier, getter) ?? active
  } catch (error) {
    reportThrown('propagation.extract()', error)
    return active
  }
}
