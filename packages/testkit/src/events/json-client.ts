import type { ClientRequest } from 'node:http'
import { TestClient } from '../testing/client.ts'
import type { EventClient, EventConnectOptions } from './harness.ts'

/** The text of an event on hosts whose messages are `{"event":…,"data":…}`. */
export function eventText(event: string, data: unknown): string {
  return JSON.stringify({ event, data })
}

/** A client of a host whose messages are `{"event":…,"data":…}`; rejects when its upgrade is rejected. */
export async function jsonEventClient(
  url: string,
  { offer, headers, signal }: EventConnectOptions = {},
): Promise<EventClient> {
  const client = new TestClient(url, [], {
    headers: { ...headers, ...(offer !== undefined && { 'otel-ws': `${offer}; key=<key>` }) },
  })
  signal?.addEventListener('abort', () => resetRequest(client))
  await client.opened
  return {
    raw: client,
    agreement: /^1; id=([0-9a-f]{16})$/.exec(String(client.responseHeaders['otel-ws']))?.[1],
    emit: (event, data, carrier) =>
      client.send(JSON.stringify({ ...(carrier !== undefined && { _otel: carrier }), event, data })),
    request: () => Promise.reject(new Error('this host has no acknowledgements')),
    answer() {},
    async next() {
      const { event, data, _otel: carrier } = JSON.parse(await client.next())
      return { name: event, data, ...(carrier && { carrier }) }
    },
    async leave() {
      await client.close(1000)
    },
    abort: () => client.socket.terminate(),
    freeze: () => client.socket.pause(),
    closed: client.closed.then(() => {}),
  }
}

/** Resets the connection of a client whose upgrade request has no answer yet. */
function resetRequest({ socket }: TestClient): void {
  const { _req: request } = socket as unknown as { readonly _req: ClientRequest }
  request.socket?.resetAndDestroy()
}
