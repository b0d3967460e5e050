import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { broadcast } from '@otel-ws/fastify'
import type { WebSocket } from 'ws'
import type { ServerMessage } from './messages.ts'

/** How long a search takes, in milliseconds: it is the demo's slow handler. */
export const SEARCH_TIME = 300

/** Lines a room remembers. */
const HISTORY = 200

/** A member of a room. */
export interface Member {
  readonly name: string
  readonly room: string
  readonly socket: WebSocket
}

/** The service that translates is always down: its calls are the demo's failing handler. */
class TranslationUnavailable extends Error {
  override readonly name = 'TranslationUnavailable'
}

const tracer = trace.getTracer('fastify-chat')

/** Rooms and their members. Its only telemetry is a span and an attribute of its own. */
export class Chat {
  readonly #members = new Set<Member>()
  readonly #history = new Map<string, string[]>()

  /** Adds a member to a room and notifies the others. */
  join(member: Member): void {
    this.#members.add(member)
    const { name: user, room } = member
    this.send(member, { type: 'welcome', you: user, room, members: this.#names(room) })
    this.#sendToRoom(room, { type: 'joined', user, members: this.#names(room) }, member)
  }

  /** Removes a member from a room and notifies the others. */
  leave(member: Member): void {
    this.#members.delete(member)
    this.#sendToRoom(member.room, { type: 'left', user: member.name, members: this.#names(member.room) })
  }

  /** Sends a text to all members of the room. */
  say(from: Member, text: string): void {
    const history = this.#history.get(from.room) ?? []
    this.#history.set(from.room, [...history, `${from.name}: ${text}`].slice(-HISTORY))
    this.#sendToRoom(from.room, { type: 'said', from: from.name, text })
  }

  /** Says something to one person, in whatever room. */
  whisper(from: Member, to: string, text: string): void {
    const recipient = [...this.#members].find((member) => member.name === to)
    if (recipient === undefined) this.send(from, { type: 'error', message: `${to} is not here` })
    else this.send(recipient, { type: 'whispered', from: from.name, text })
  }

  /** Sends a text to all members of all rooms. */
  announce(from: Member, text: string): void {
    const message: ServerMessage = { type: 'announced', from: from.name, text }
    const sockets = [...this.#members].map((member) => member.socket)
    broadcast(sockets, JSON.stringify(message), { name: 'announced' })
  }

  /** Looks through what was said in the room, slowly. The span of its own stands below that of the message. */
  async search(from: Member, text: string): Promise<void> {
    const matches = await tracer.startActiveSpan('read history', async (span) => {
      await delay(SEARCH_TIME)
      const found = (this.#history.get(from.room) ?? []).filter((line) => line.includes(text)).slice(-5)
      span.setAttribute('chat.matches', found.length).end()
      return found
    })
    this.send(from, { type: 'found', text, matches })
  }

  /** Fails, a little later. */
  async translate(_from: Member, _text: string): Promise<void> {
    await delay(20)
    throw new TranslationUnavailable('no answer')
  }

  /** Sends one message to one member. */
  send(member: Member, message: ServerMessage): void {
    member.socket.send(JSON.stringify(message))
  }

  /** A plain loop over sockets with the same data: it shows as one broadcast. */
  #sendToRoom(room: string, message: ServerMessage, except?: Member): void {
    const data = JSON.stringify(message)
    for (const member of this.#members) {
      const { socket } = member
      if (member.room === room && member !== except && socket.readyState === socket.OPEN) socket.send(data)
    }
  }

  #names(room: string): string[] {
    return [...this.#members].filter((member) => member.room === room).map((member) => member.name)
  }
}
