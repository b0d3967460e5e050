import { type ClientConnection, wrapMethod } from '@otel-ws/core/client'
import type { Target, Watcher } from './event-target.ts'

/**
 * Node's `EventTarget` says so. It takes care of promises that listeners return: a rejection ends the process. Its
 * WebSocket dispatches by its own `dispatchEvent`, and what an event tells of its dispatch, it tells the first listener
 * only: there must be none of ours.
 */
export const IS_NODES =
  (globalThis as unknown as { EventTarget?: Record<symbol, unknown> }).EventTarget?.[
    Symbol.for('nodejs.event_target')
  ] === true

/** Reports the events of Node's own WebSocket by wrapping `dispatchEvent` and `close`. */
export function watchDispatch(target: Target, connection: ClientConnection, watcher: Watcher): void {
  const { dispatchEvent, close } = target
  let isLeaving = false
  wrapMethod(target, 'dispatchEvent', function (this: Target, ...args: unknown[]): unknown {
    const [occurred] = args
    const { type } = (occurred ?? {}) as { type?: unknown }
    if (type === 'open') watcher.opened()
    else if (type === 'close') {
      // It is fired within the call of `close` when that gives up a connect.
      if (isLeaving) connection.closeFrameSent()
      watcher.closed(occurred)
    } else if (type === 'error') {
      // After a failed connect, Node 22 dispatches `error` and no `close`.
      connection.failed(isLeaving ? 'abandoned' : 'failed')
    } else if (type === 'message') {
      if (!watcher.begin(occurred)) return true
      try {
        return dispatchEvent.apply(this, args)
      } finally {
        watcher.end()
      }
    }
    return dispatchEvent.apply(this, args)
  })
  wrapMethod(target, 'close', function (this: Target, ...args: unknown[]): void {
    isLeaving = true
    try {
      close.apply(this, args)
    } finally {
      isLeaving = false
    }
  })
}
