import type { IncomingMessage } from 'node:http'
import { Inject, UseGuards } from '@nestjs/common'
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
  type WsResponse,
} from '@nestjs/websockets'
import type { Observable } from 'rxjs'
import type { AudioFrame } from './audio-frame.ts'
import type { Client } from './caller.ts'
import { Refusal } from './errors.ts'
import { IdentityGuard, SubscriberGuard } from './guards.ts'
import { KnowledgeBase } from './knowledge.ts'
import { type History, type ListenRequest, PATH, type Reply } from './messages.ts'
import { AudioPipe, ListenPipe } from './pipes.ts'
import { type Session, Sessions } from './session.ts'
import { Utterance } from './stages/utterance.ts'
import { UTTERANCES, type Utterances } from './tokens.ts'

/** The assistant, on either platform: `listen` opens an utterance, `audio` fills it, and the answer is streamed. */
@UseGuards(IdentityGuard)
@WebSocketGateway({ path: PATH })
export class AssistantGateway implements OnGatewayConnection, OnGatewayDisconnect {
  readonly #sessions: Sessions
  readonly #utterances: Utterances
  readonly #knowledge: KnowledgeBase

  constructor(
    @Inject(Sessions) sessions: Sessions,
    @Inject(UTTERANCES) utterances: Utterances,
    @Inject(KnowledgeBase) knowledge: KnowledgeBase,
  ) {
    this.#sessions = sessions
    this.#utterances = utterances
    this.#knowledge = knowledge
  }

  handleConnection(client: Client, request?: IncomingMessage): void {
    this.#sessions.open(client, request)
  }

  handleDisconnect(client: Client): void {
    this.#sessions.close(client)
  }

  /** Opens an utterance. What is streamed in answer is all that comes of it, up to the end. */
  @SubscribeMessage('listen')
  listen(
    @ConnectedSocket() client: Client,
    @MessageBody(ListenPipe) { utterance: id }: ListenRequest,
  ): Observable<Reply> {
    const session = this.#sessions.of(client)
    if (session.utterance !== undefined) throw new Refusal('busy', 'one utterance at a time')
    const utterance = new Utterance(id, userOf(session), session)
    session.utterance = utterance
    return utterance.replies
  }

  /** Takes audio. The last of an utterance sends it on its way to an answer. */
  @SubscribeMessage('audio')
  audio(@ConnectedSocket() client: Client, @MessageBody(AudioPipe) { header, audio }: AudioFrame): void {
    const session = this.#sessions.of(client)
    const { utterance } = session
    if (utterance?.id !== header.utterance) throw new Refusal('not_listening', 'say listen first')
    const next = utterance.hear(audio, header.last)
    if (next !== 'more') session.utterance = undefined
    if (next === 'answer') utterance.within(() => this.#utterances.add(utterance))
  }

  /** Returns what the user said before. */
  @UseGuards(SubscriberGuard)
  @SubscribeMessage('history')
  async history(@ConnectedSocket() client: Client): Promise<WsResponse<History>> {
    const asked = this.#knowledge.history(userOf(this.#sessions.of(client)))
    return { event: 'history', data: { asked } }
  }
}

/** The user, whom the guard has let in by name. */
function userOf({ user }: Session): string {
  return user ?? ''
}
