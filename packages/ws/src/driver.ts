import type { HostDriver } from '@otel-ws/core/adapter'
import { payloadText, peerOf, unwrapMethods } from '@otel-ws/core/node'
import type { WebSocket } from 'ws'
import { stopCountingFrames } from './frame-counter.ts'
import { OPEN } from './host.ts'

/** The methods of a socket that are wrapped. */
export const METHOD_NAMES = ['emit', 'send', 'close', 'terminate', 'ping'] as const

export const driver: HostDriver<WebSocket> = {
  hasRawMessages: true,
  text: payloadText,
  peer: peerOf,
  bufferedAmount: (socket) => socket.bufferedAmount,
  ping: (socket, payload) => {
    if (socket.readyState === OPEN) socket.ping(payload)
  },
  terminate: (socket) => socket.terminate(),
  release: (socket) => {
    unwrapMethods(socket, METHOD_NAMES)
    stopCountingFrames(socket)
  },
}
