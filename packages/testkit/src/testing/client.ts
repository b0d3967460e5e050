import type { ClientRequest } from 'node:http'
import { QueueingClient } from '@otel-ws/testing'
import type { ClientOptions } from 'ws'
import { completeUrl } from './offer.ts'

export type { Closed } from '@otel-ws/testing'

/** The client of `@otel-ws/testing`, which completes offers of context in messages, and does not compress. */
export class TestClient extends QueueingClient {
  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    super(completeUrl(url), protocols, { perMessageDeflate: false, finishRequest, ...options })
  }
}

/** Completes an offer of context in messages with the key of the request. */
function finishRequest(request: ClientRequest): void {
  const offer = request.getHeader('otel-ws')
  const key = String(request.getHeader('sec-websocket-key'))
  if (typeof offer === 'string') request.setHeader('otel-ws', offer.replace('<key>', key))
  request.end()
}

/** Connects and waits for the open. */
export async function connect(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<TestClient> {
  const client = new TestClient(url, protocols, options)
  await client.opened
  return client
}
