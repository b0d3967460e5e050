import { UseInterceptors } from '@nestjs/common'
import { WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { describe, expect, it } from 'vitest'
import { type App, platforms } from './app.ts'
import { createChatGateway, shared } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

const ANSWER = '  send answer'
const EXCEPTION = '  send exception'

/** For each message: event, number of answers, the line of its span, and the lines of the spans below it. */
const messages: readonly [event: string, answers: number, says: string, children: string[]][] = [
  ['value', 1, 'in ChatGateway.value', ['  piping', '  handling', ANSWER]],
  ['promise', 1, 'in ChatGateway.promise', ['  handling', ANSWER]],
  ['nothing', 0, 'in ChatGateway.nothing', ['  handling']],
  [
    'observable',
    3,
    'in ChatGateway.observable 3 items completed',
    ['  operating', ANSWER, '  operating', ANSWER, '  operating', ANSWER],
  ],
  ['promised observable', 2, 'in ChatGateway.promisedObservable 2 items completed', [ANSWER, ANSWER]],
  [
    'iterable',
    3,
    'in ChatGateway.iterable 3 items completed',
    ['  generating', ANSWER, '  generating', ANSWER, '  generating', ANSWER],
  ],
  [
    'iterable throws',
    2,
    'in ChatGateway.iterableThrows 1 items failed ! SyntaxError: half a word',
    [ANSWER, EXCEPTION],
  ],
  ['empty', 0, 'in ChatGateway.empty 0 items completed', []],
  ['explicit stream', 2, 'in ChatGateway.explicitStream 2 items completed', [ANSWER, ANSWER]],
  ['denied', 1, 'in ChatGateway.denied refused: WsException', [EXCEPTION]],
  ['guard throws', 1, 'in ChatGateway.guardThrows refused: NO_TICKET', ['  guarding', EXCEPTION]],
  ['pipe throws', 1, 'in ChatGateway.pipeThrows ! RangeError: out of range', ['  piping', EXCEPTION]],
  [
    'interceptor throws',
    1,
    'in ChatGateway.interceptorThrows ! TypeError: not this type',
    ['  intercepting', '  handling', EXCEPTION],
  ],
  ['handler throws', 1, 'in ChatGateway.handlerThrows refused: WsException', [EXCEPTION]],
  ['handler rejects', 1, 'in ChatGateway.handlerRejects refused: ROOM_FULL', [EXCEPTION]],
  ['throws no error', 1, 'in ChatGateway.throwsNoError ! string: a text', [EXCEPTION]],
  ['stream throws', 2, 'in ChatGateway.streamThrows 1 items failed ! SyntaxError: half a word', [ANSWER, EXCEPTION]],
]

describe.each(platforms)('WsTraceModule on %s', (platform) => {
  const handshakes = platform === 'platform-ws' ? ['GET /'] : ['CONNECT /', 'GET /socket.io']

  describe.each(['alone', 'and WsTraceInterceptor'])('%s', (mode) => {
    const fixture = useFixture()

    function serve(): Promise<App> {
      const gateway = createChatGateway()
      if (mode !== 'alone') UseInterceptors(WsTraceInterceptor)(gateway)
      return fixture.start({ platform, gateways: [gateway], metadata: { imports: [WsTraceModule.forRoot()] } })
    }

    it.each(messages)('records %s', async (event, answers, says, children) => {
      const client = await fixture.connect(await serve())
      client.emit(event, 1)
      for (let n = 0; n < answers; n++) await client.next()
      const span = await fixture.telemetry.waitForSpan(`process ${event}`)
      await fixture.settle()
      expect(fixture.tree(span)).toEqual([`process ${event} after handshake ${says}`, ...children])
      const below = children.map((line) => line.trim())
      expect(fixture.telemetry.names()).toEqual([...handshakes, 'close /', span.name, ...below].sort())
      const rows = await fixture.telemetry.collect('websocket.server.message.process.duration')
      expect(rows.map((row) => row.count)).toEqual([1])
      expect(rows[0]?.attributes['error.type']).toBe(span.attributes['error.type'])
    })

    it('records a stream as cancelled when its client disconnects, and counts it until then', async () => {
      const client = await fixture.connect(await serve())
      const active = async () => {
        const rows = await fixture.telemetry.collect('websocket.server.stream.active')
        return rows.reduce((sum, row) => sum + (row.value ?? 0), 0)
      }
      client.emit('subscribe')
      expect(await client.next()).toEqual(['answer', 'subscribed'])
      shared.next(1)
      expect(await client.next()).toEqual(['answer', 1])
      expect(await active()).toBe(1)
      await client.close()
      const span = await fixture.telemetry.waitForSpan('process subscribe')
      expect(fixture.tree(span)).toEqual([
        'process subscribe after handshake in ChatGateway.subscribe 2 items cancelled',
        ANSWER,
        ANSWER,
      ])
      expect(await active()).toBe(0)
    })
  })
})
