import { Module } from '@nestjs/common'
import { WsTraceModule } from '@otel-ws/nestjs'
import { AssistantGateway } from './assistant.gateway.ts'
import { IdentityGuard, SubscriberGuard } from './guards.ts'
import { KnowledgeBase, type Memory } from './knowledge.ts'
import { messageContext } from './message-context.ts'
import { Sessions } from './session.ts'
import { Answering } from './stages/answering.ts'
import { Queue } from './stages/queue.ts'
import type { Utterance } from './stages/utterance.ts'
import { MEMORIES, UTTERANCES } from './tokens.ts'

/** Utterances that are answered at the same time. */
const ANSWERERS = 3

/** The assistant. */
@Module({
  imports: [WsTraceModule.forRoot({ messageContext })],
  providers: [
    AssistantGateway,
    IdentityGuard,
    SubscriberGuard,
    Sessions,
    KnowledgeBase,
    Answering,
    {
      provide: UTTERANCES,
      inject: [Answering],
      useFactory: (answering: Answering) =>
        new Queue<Utterance>('answer', ANSWERERS, (utterance) => answering.answer(utterance)),
    },
    {
      provide: MEMORIES,
      inject: [KnowledgeBase],
      useFactory: (knowledge: KnowledgeBase) => new Queue<Memory>('note', 1, (memory) => knowledge.remember(memory)),
    },
  ],
})
export class AssistantModule {}
