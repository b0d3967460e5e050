import type { IncomingMessage } from 'node:http'
import { Injectable } from '@nestjs/common'
import type { WebSocket } from 'ws'
import type { Caller, Client } from './caller.ts'
import type { Utterance } from './stages/utterance.ts'

/** A caller and the utterance that is being received or answered. */
export interface Session extends Caller {
  /** `undefined` between two utterances. */
  utterance: Utterance | undefined
}

/** The sessions of all clients. */
@Injectable()
export class Sessions {
  readonly #sessions = new WeakMap<Client, Session>()

  /** Starts the session of a client that has connected; plain WebSockets come with their request. */
  open(client: Client, request?: IncomingMessage): void {
    const { user, plan } = queryOf(client, request)
    this.#sessions.set(client, {
      client,
      user,
      isSubscriber: plan === 'premium',
      utterance: undefined,
      timers: new Set(),
    })
  }

  /** The session of a client. */
  of(client: Client): Session {
    const session = this.#sessions.get(client)
    if (session === undefined) throw new Error('a client without a session')
    return session
  }

  /** Ends the session of a client that has left. */
  close(client: Client): void {
    const timers = this.#sessions.get(client)?.timers ?? []
    for (const timer of timers) clearTimeout(timer)
  }
}

/** Sends an event to a client of either platform. */
export function push(client: Client, event: string, data: unknown): void {
  if (!isPlain(client)) client.emit(event, data)
  else if (client.readyState === client.OPEN) client.send(JSON.stringify({ event, data }))
}

function isPlain(client: Client): client is WebSocket {
  return 'readyState' in client
}

function queryOf(client: Client, request: IncomingMessage | undefined): { user?: string; plan?: string } {
  if (!isPlain(client)) return client.handshake.query as { user?: string; plan?: string }
  return Object.fromEntries(new URL(request?.url ?? '', 'ws://localhost').searchParams)
}
