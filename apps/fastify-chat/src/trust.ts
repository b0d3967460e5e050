/** Addresses of this machine, over IPv4, IPv6, and IPv4 within IPv6. */
const LOOPBACK = /^(::ffff:)?127\.|^::1$/

interface Request {
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
}

/**
 * Use of the trace context that a client sends. The page is public: a stranger must not decide what is exported, so that
 * its context becomes a link. The simulated users and pages of this machine belong to the demo.
 */
export function trustOf({ socket }: Request): 'parent' | 'link' {
  return LOOPBACK.test(socket?.remoteAddress ?? '') ? 'parent' : 'link'
}
