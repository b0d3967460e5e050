import type { INestApplicationContext } from '@nestjs/common'
import { WsAdapter } from '@nestjs/platform-ws'
import { filter, type Observable } from 'rxjs'
import type { WebSocket } from 'ws'

type Bind = WsAdapter['bindMessageHandlers']

/** `WsAdapter` for JSON and audio on one socket: a binary message is an event `audio`, in both directions. */
export class VoiceWsAdapter extends WsAdapter {
  constructor(app: INestApplicationContext) {
    super(app, { messageParser: parse })
  }

  override bindMessageHandlers(client: WebSocket, handlers: Parameters<Bind>[1], transform: Parameters<Bind>[2]): void {
    const withoutAudio = (reply: unknown) => !isSentAsAudio(client, reply)
    const split = (result: unknown): Observable<unknown> => transform(result).pipe(filter(withoutAudio))
    super.bindMessageHandlers(client, handlers, split)
  }
}

function parse(data: unknown): { event: string; data: unknown } | undefined {
  if (typeof data !== 'string') return { event: 'audio', data }
  try {
    return JSON.parse(data)
  } catch {
    // Without JSON there is no event to handle.
    return undefined
  }
}

function isSentAsAudio(client: WebSocket, reply: unknown): boolean {
  const data = (reply as { data?: unknown } | undefined)?.data
  if (!Buffer.isBuffer(data)) return false
  if (client.readyState === client.OPEN) client.send(data)
  return true
}
