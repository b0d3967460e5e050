import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import {
  Ack,
  ConnectedSocket,
  type GatewayMetadata,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets'
import { trace } from '@opentelemetry/api'
import { connectionOf } from '@otel-ws/nestjs'
import { concatMap, EMPTY, from, map, NEVER, type Observable, of, Subject, startWith, throwError } from 'rxjs'

type Client = { send?(data: string): void; emit(event: string, data: unknown): void }
type Acknowledge = (data: unknown) => void

/** Waits a turn of the event loop; the active context must stay active. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Starts a span of the application, whose parent shows the active span. */
export function work(name: string): void {
  trace.getTracer('application').startSpan(name).end()
}

@Injectable()
class Denying implements CanActivate {
  canActivate(): boolean {
    return false
  }
}

@Injectable()
class ThrowingGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await turn()
    work('guarding')
    throw new WsException({ code: 'NO_TICKET', message: 'a ticket is needed' })
  }
}

@Injectable()
class ThrowingPipe implements PipeTransform {
  async transform(): Promise<never> {
    await turn()
    work('piping')
    throw new RangeError('out of range')
  }
}

@Injectable()
class TracingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    work('piping')
    return value
  }
}

@Injectable()
class ThrowingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    work('intercepting')
    return next.handle().pipe(concatMap(() => throwError(() => new TypeError('not this type'))))
  }
}

/** Sends the items of async iterables, which Nest itself does not. */
@Injectable()
class Iterating implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(concatMap((result: AsyncIterable<unknown>) => from(result)))
  }
}

/** Answers on both platforms and both majors. */
@Catch()
class Answering implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): void {
    const client = host.switchToWs().getClient<Client>()
    const data = exception instanceof Error ? exception.message : String(exception)
    if (typeof client.send === 'function' && 'readyState' in client)
      client.send(`{"event":"exception","data":"${data}"}`)
    else client.emit('exception', data)
  }
}

/** A source that tests push to. */
export const shared = new Subject<unknown>()

/** Creates a gateway class, for further decorators, with a handler for each kind of result and of failure. */
export function createChatGateway(options: GatewayMetadata = {}): Type {
  @WebSocketGateway(options)
  @UseFilters(new Answering())
  class ChatGateway {
    @SubscribeMessage('value')
    value(@MessageBody(TracingPipe) data: unknown) {
      work('handling')
      return { event: 'answer', data }
    }

    @SubscribeMessage('promise')
    async promise(@MessageBody() data: unknown) {
      await turn()
      work('handling')
      return { event: 'answer', data }
    }

    @SubscribeMessage('nothing')
    nothing() {
      work('handling')
    }

    @SubscribeMessage('observable')
    observable() {
      return from(['a', 'b', 'c']).pipe(
        concatMap(async (item) => {
          await turn()
          work('operating')
          return { event: 'answer', data: item }
        }),
      )
    }

    @SubscribeMessage('promised observable')
    async promisedObservable() {
      await turn()
      return of('a', 'b').pipe(map((data) => ({ event: 'answer', data })))
    }

    @SubscribeMessage('iterable')
    @UseInterceptors(Iterating)
    async *iterable() {
      for (const data of ['a', 'b', 'c']) {
        await turn()
        work('generating')
        yield { event: 'answer', data }
      }
    }

    @SubscribeMessage('iterable throws')
    @UseInterceptors(Iterating)
    async *iterableThrows() {
      yield { event: 'answer', data: 'a' }
      throw new SyntaxError('half a word')
    }

    @SubscribeMessage('empty')
    empty() {
      return EMPTY
    }

    @SubscribeMessage('never')
    never(@ConnectedSocket() client: Client) {
      tell(client, 'answer', 'waiting')
      return NEVER
    }

    @SubscribeMessage('subscribe')
    subscribe() {
      return shared.pipe(
        startWith('subscribed'),
        map((data) => ({ event: 'answer', data })),
      )
    }

    @SubscribeMessage('explicit stream')
    async explicitStream(@ConnectedSocket() client: Client) {
      const stream = connectionOf(client)?.stream()
      for (const token of ['a', 'b']) {
        await turn()
        tell(client, 'answer', token)
        stream?.item()
      }
      stream?.end()
    }

    @SubscribeMessage('ack')
    async acknowledge(@MessageBody() data: unknown, @Ack() ack: Acknowledge) {
      await turn()
      work('handling')
      ack(data)
    }

    @SubscribeMessage('late ack')
    acknowledgeLate(@MessageBody() data: unknown, @Ack() ack: Acknowledge | undefined) {
      setImmediate(() => {
        work('acknowledging')
        ack?.(data)
      })
    }

    @SubscribeMessage('return ack')
    returnAck(@MessageBody() data: unknown) {
      return data
    }

    @SubscribeMessage('denied')
    @UseGuards(Denying)
    denied() {}

    @SubscribeMessage('guard throws')
    @UseGuards(ThrowingGuard)
    guardThrows() {}

    @SubscribeMessage('pipe throws')
    pipeThrows(@MessageBody(ThrowingPipe) _data: unknown) {}

    @SubscribeMessage('interceptor throws')
    @UseInterceptors(ThrowingInterceptor)
    interceptorThrows() {
      work('handling')
      return 'lost'
    }

    @SubscribeMessage('handler throws')
    handlerThrows() {
      throw new WsException('no room')
    }

    @SubscribeMessage('handler rejects')
    async handlerRejects() {
      await turn()
      throw new WsException({ code: 'ROOM_FULL', message: 'the room is full' })
    }

    @SubscribeMessage('throws no error')
    throwsNoError() {
      throw 'a text'
    }

    @SubscribeMessage('stream throws')
    streamThrows() {
      return from(['a', 'b']).pipe(
        concatMap(async (data) => {
          await turn()
          if (data === 'b') throw new SyntaxError('half a word')
          return { event: 'answer', data }
        }),
      )
    }
  }
  return ChatGateway
}

function tell(client: Client, event: string, data: unknown): void {
  if (typeof client.send === 'function' && 'readyState' in client) client.send(JSON.stringify({ event, data }))
  else client.emit(event, data)
}
