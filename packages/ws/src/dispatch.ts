import { EventEmitter } from 'node:events'

export { dispatch } from '@otel-ws/core/node'

/** Stands on an `emit` of ours that covers Node's; registered, so that copies of this package know each other's. */
const PLAIN = Symbol.for('otel-ws.plain-emit')

/** True when an emitter's events go straight to Node's `emit`, so that nobody's override is passed by. */
export function emitsPlainly(emitter: EventEmitter): boolean {
  const { emit } = emitter
  const plain = emit === EventEmitter.prototype.emit || Object.hasOwn(emit, PLAIN)
  return plain && (emitter as { domain?: unknown }).domain == null
}

/** Says that an `emit` of ours covers nothing but Node's own. */
export function markPlain(emit: EventEmitter['emit']): void {
  Object.defineProperty(emit, PLAIN, { value: true })
}
