import type { CloseFacts } from '@otel-ws/core/adapter'
import type { EngineSocket } from './host.ts'

/**
 * Socket.IO's reasons of `disconnect` in terms of RFC 6455. The two reasons that are missing, `transport close` and
 * `transport error`, need the state of the transport.
 */
const REASONS: Readonly<Record<string, CloseFacts>> = {
  'client namespace disconnect': { received: 1000 },
  'server namespace disconnect': { sent: 1000 },
  'server shutting down': { sent: 1001 },
  'forced server close': { sent: 1008 },
  'forced close': { sent: 1005 },
  'ping timeout': { timedOut: true },
  'parse error': { failed: 1002 },
}

type Failures = readonly (readonly [text: string, code: number])[]

/** Errors of `ws` about frames, by their text: Engine.IO does not keep the error object with the code. */
const FRAME_FAILURES: Failures = [
  ['Max payload size exceeded', 1009],
  ['invalid UTF-8', 1007],
  ['Invalid WebSocket frame', 1002],
]

/** Errors of Engine.IO's polling transport about requests. */
const POLLING_FAILURES: Failures = [
  ['overlap', 1002],
  ['invalid content', 1002],
]

/**
 * Describes a close of Socket.IO in terms of RFC 6455.
 *
 * @param closeCause why this side closed the connection, if that was because of what the client sent
 */
export function closeFacts(
  reason: string,
  description: unknown,
  conn: EngineSocket,
  closeCause: CloseFacts | undefined,
): CloseFacts {
  const text = { reason, transport: conn.transport.name }
  if (reason === 'transport close') return { ...transportClose(conn), ...text }
  if (reason === 'transport error') return { ...transportError(description, conn), ...text }
  if (reason === 'forced close' && closeCause !== undefined) return { ...closeCause, ...text }
  return { ...REASONS[reason], ...text }
}

function transportClose({ transport }: EngineSocket): CloseFacts {
  const { name, socket } = transport
  // The close packet of the other transports has no code.
  if (name !== 'websocket') return { received: 1005 }
  return socket?._closeFrameReceived === true ? { received: socket._closeCode } : {}
}

function transportError(description: unknown, { transport }: EngineSocket): CloseFacts {
  const message = description instanceof Error ? description.message : ''
  const failures = transport.name === 'polling' ? POLLING_FAILURES : FRAME_FAILURES
  for (const [text, failed] of failures) if (message.includes(text)) return { failed }
  return {}
}
