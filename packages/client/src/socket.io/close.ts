/** Facts of a close in the terms of RFC 6455. */
interface CloseFacts {
  readonly sent?: number
  readonly received?: number
  readonly failed?: number
  readonly timedOut?: boolean
}

/** The WebSocket close that each reason of `disconnect` stands for. */
const REASONS: Readonly<Record<string, CloseFacts>> = {
  'io server disconnect': { received: 1000 },
  'io client disconnect': { sent: 1000 },
  'forced close': { sent: 1005 },
  'ping timeout': { timedOut: true },
  'parse error': { failed: 1002 },
}

/** The facts of a close, from the reason of `disconnect` and the description of its transport's end. */
export function closeFacts(reason: string, description: unknown): CloseFacts & { readonly reason: string } {
  const { context } = (description ?? {}) as { context?: { code?: unknown } }
  const code = reason === 'transport close' ? context?.code : undefined
  if (typeof code === 'number' && code !== 1006) return { received: code, reason }
  return { ...REASONS[reason], reason }
}
