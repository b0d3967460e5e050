import { EventEmitter } from 'node:events'

export { dispatch } from '@otel-ws/core/node'

/** Marks wrappers of Node's own `emit`. Registered, so that copies of this package agree. */
const PLAIN = Symbol.for('otel-ws.plain-emit')

/** True if an emitter's events go straight to Node's `emit`, so that no override is passed by. */
export function emitsPlainly(emitter: EventEmitter): boolean {
  const { emit } = emitter
  const plain = emit === EventEmitter.prototype.emit || Object.hasOwn(emit, PLAIN)
  return plain && (emitter as { domain?: unknown }).domain == null
}

/** Marks an `emit` that wraps nothing but Node's own. */
export function markPlain(emit: EventEmitter['emit']): void {
  Object.defineProperty(emit, PLAIN, { value: true })
}
