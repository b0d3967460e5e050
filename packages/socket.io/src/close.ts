import type { CloseFacts } from '@otel-ws/core/adapter'
import type { EngineSocket } from './host.ts'

/**
 * What each reason of `disconnect` stands for, in the terms of a WebSocket close. Two of them say only that the
 * transport ended; what the transport knows decides then.
 */
const REASONS: Readonly<Record<string, CloseFacts>> = {
  'client namespace disconnect': { received: 1000 },
  'server namespace disconnect': { sent: 1000 },
  'server shutting down': { sent: 1001 },
  // The client did not join a namespace, or spoke to one that it is not in.
  'forced server close': { sent: 1008 },
  'forced close': { sent: 1005 },
  'ping timeout': { timedOut: true },
  'parse error': { failed: 1002 },
}

/** Reasons of Engine.IO's polling transport to end the connection for what the client did. */
const POLLING_VIOLATIONS = ['overlap', 'invalid content']

/**
 * Tells a close in the terms of RFC 6455.
 *
 * @param failed close code for what this side found wrong with a packet, when that is why it ended the connection
 */
export function closeFacts(
  reason: string,
  description: unknown,
  conn: EngineSocket,
  failed: number | undefined,
): CloseFacts {
  const text = { reason, transport: conn.transport.name }
  if (reason === 'transport close') return { ...transportClose(conn), ...text }
  if (reason === 'transport error') return { ...transportError(description, conn), ...text }
  if (reason === 'forced close' && failed !== undefined) return { failed, ...text }
  return { ...REASONS[reason], ...text }
}

function transportClose({ transport }: EngineSocket): CloseFacts {
  const { name, socket } = transport
  // Other transports close with a packet that has no code.
  if (name !== 'websocket') return { received: 1005 }
  return socket?._closeFrameReceived === true ? { received: socket._closeCode } : {}
}

function transportError(description: unknown, { transport }: EngineSocket): CloseFacts {
  const message = description instanceof Error ? description.message : ''
  if (transport.name === 'polling') {
    return POLLING_VIOLATIONS.some((violation) => message.includes(violation)) ? { failed: 1002 } : {}
  }
  // `ws` sends a close frame for what it finds wrong; of the error only its text is left.
  const { socket } = transport
  if (socket?._closeFrameSent !== true || socket._closeFrameReceived === true) return {}
  if (message.includes('Max payload size exceeded')) return { failed: 1009 }
  return { failed: message.includes('UTF-8') ? 1007 : 1002 }
}
