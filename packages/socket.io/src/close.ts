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
  'forced server close': { sent: 1008 },
  'forced close': { sent: 1005 },
  'ping timeout': { timedOut: true },
  'parse error': { failed: 1002 },
}

type Failures = readonly (readonly [text: string, code: number])[]

/** What `ws` finds wrong with frames. Of its error, which has the code, Engine.IO keeps the text only. */
const FRAME_FAILURES: Failures = [
  ['Max payload size exceeded', 1009],
  ['invalid UTF-8', 1007],
  ['Invalid WebSocket frame', 1002],
]

/** What Engine.IO finds wrong with polls. */
const POLLING_FAILURES: Failures = [
  ['overlap', 1002],
  ['invalid content', 1002],
]

/**
 * Tells a close in the terms of RFC 6455.
 *
 * @param ending why this side ended the connection, when it did for what the client sent
 */
export function closeFacts(
  reason: string,
  description: unknown,
  conn: EngineSocket,
  ending: CloseFacts | undefined,
): CloseFacts {
  const text = { reason, transport: conn.transport.name }
  if (reason === 'transport close') return { ...transportClose(conn), ...text }
  if (reason === 'transport error') return { ...transportError(description, conn), ...text }
  if (reason === 'forced close' && ending !== undefined) return { ...ending, ...text }
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
  const failures = transport.name === 'polling' ? POLLING_FAILURES : FRAME_FAILURES
  for (const [text, failed] of failures) if (message.includes(text)) return { failed }
  return {}
}
