import { EventEmitter } from 'node:events'

export { dispatch } from '@otel-ws/core/adapter'

/** True when an emitter's events go straight to Node's `emit`, so that nobody's override is passed by. */
export function emitsPlainly(emitter: EventEmitter): boolean {
  return emitter.emit === EventEmitter.prototype.emit && (emitter as { domain?: unknown }).domain == null
}
