import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { linkTo, Telemetry } from '@otel-ws/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeFrame } from '../src/audio-frame.ts'
import { type AssistantServer, type Platform, startAssistant } from '../src/platforms/server.ts'
import { Phone } from '../src/users/phone.ts'

type ReadableSpan = ReturnType<Telemetry['span']>

const telemetry = new Telemetry()

beforeAll(() => telemetry.install())
afterAll(() => telemetry.uninstall())

/** The spans of a trace, children below their parents; brothers of one name are counted, and in order of the alphabet. */
function treeOf(root: ReadableSpan, spans = telemetry.spans()): string[] {
  const { spanId } = root.spanContext()
  const children = spans.filter((span) => span.parentSpanContext?.spanId === spanId)
  const subtrees = new Map<string, number>()
  for (const child of children) {
    const subtree = treeOf(child, spans).join('\n')
    subtrees.set(subtree, (subtrees.get(subtree) ?? 0) + 1)
  }
  const error = root.attributes['error.type']
  const label = `${SpanKind[root.kind]} ${root.name}${error === undefined ? '' : ` ERROR ${error}`}`
  const lines = [...subtrees].sort().flatMap(([subtree, count]) => {
    const [first, ...rest] = subtree.split('\n')
    return [count === 1 ? first : `${first} x${count}`, ...rest].map((line) => `  ${line}`)
  })
  return [label, ...lines]
}

describe.each<Platform>(['ws', 'socket.io'])('a trace on %s', (platform) => {
  /** What a message without a name is called. */
  const spoken = platform === 'ws' ? 'send /assistant' : 'send audio'
  let server: AssistantServer
  let phone: Phone

  beforeEach(async () => {
    telemetry.forget()
    server = await startAssistant(platform, 0)
    phone = await Phone.call(platform, server.url, { user: 'ada' })
  })

  /** Closes everything, so that all spans have ended. */
  async function hangUp(): Promise<void> {
    await phone.hangUp()
    await server.close()
  }
  afterEach(async () => {
    await hangUp()
    expect(telemetry.openSpans()).toEqual([])
  })

  it('has all of an utterance, from the first chunk to the last', async () => {
    await phone.ask('what is two plus two?')
    await hangUp()
    const utterance = telemetry.span('utterance')
    expect(treeOf(utterance)).toEqual([
      'INTERNAL utterance',
      ...(platform === 'ws' ? [] : ['  CONSUMER process audio x5']),
      '  CONSUMER process listen',
      '    INTERNAL receive audio',
      ...(platform === 'ws' ? [`    INTERNAL ${spoken} x5`] : []),
      '    PRODUCER enqueue answer',
      '      CONSUMER answer',
      '        INTERNAL act',
      '        INTERNAL speak',
      '        INTERNAL think',
      '        INTERNAL transcribe',
      '        INTERNAL understand',
      '        PRODUCER enqueue note',
      '          CONSUMER note',
      ...(platform === 'ws' ? [] : [`    PRODUCER ${spoken} x5`]),
      '    PRODUCER send done',
      '    PRODUCER send heard',
      '    PRODUCER send token x5',
      ...(platform === 'ws' ? ['  INTERNAL process audio x5'] : []),
    ])
    const { traceId } = utterance.spanContext()
    const elsewhere = telemetry.spans().filter((span) => span.spanContext().traceId !== traceId)
    expect(elsewhere.filter((span) => /^(process|send) /.test(span.name))).toEqual([])
    expect(telemetry.spans().filter((span) => span.status.code === SpanStatusCode.ERROR)).toEqual([])
  })

  it("has the stream's figures on the span of the message that is answered", async () => {
    await phone.ask('what is two plus two?')
    const listen = await telemetry.waitForSpan('process listen')
    expect(listen.attributes).toMatchObject({
      'code.function.name': 'AssistantGateway.listen',
      'websocket.message.sequence': 1,
      // What was heard, five words and their audio, and the end.
      'websocket.stream.items': 12,
      'websocket.stream.outcome': 'completed',
    })
    const [first, last, interval] = ['time_to_first_item', 'time_to_last_item', 'item_interval'].map(
      (figure) => listen.attributes[`websocket.stream.${figure}`] as number,
    ) as [number, number, number]
    expect(last - first).toBeCloseTo(11 * interval, 6)
    expect(last).toBeLessThanOrEqual(listen.duration[0] + listen.duration[1] / 1e9)
    expect(telemetry.span('receive audio').attributes).toEqual({ 'assistant.chunks': 5, 'assistant.bytes': 6_720 })
    // A phone on ws carries its context in a format of its own, which may be that of many messages.
    const links = platform === 'ws' ? [linkTo(telemetry.span('GET /assistant'))] : []
    for (const span of telemetry.spans('process audio')) expect(span.links).toEqual(links)
    expect(listen.links).toEqual([])
  })

  it('is one for each of two utterances that wait in the same queue', async () => {
    const friend = await Phone.call(platform, server.url, { user: 'grace' })
    await Promise.all([phone.ask('what is on my list?'), friend.ask('what is on my list?')])
    await friend.hangUp()
    await hangUp()
    const [one, other] = telemetry.spans('utterance').map((utterance) => treeOf(utterance))
    expect(one).toEqual(other)
    expect(one).toHaveLength(17)
  })

  it('of a timer that rings is its own, linked to the handshake', async () => {
    const rings = new Promise((resolve) => phone.wire.events.once('timer', resolve))
    await phone.ask('set a timer for one second.')
    await rings
    const ring = await telemetry.waitForSpan('send timer')
    expect(ring.parentSpanContext).toBeUndefined()
    expect(ring.links).toEqual([linkTo(telemetry.span(platform === 'ws' ? 'GET /assistant' : 'CONNECT /'))])
  })

  const exception = (refused: string) => [`INTERNAL ${refused}`, '  PRODUCER send exception']

  it('tells what a guard refuses', async () => {
    const nobody = await Phone.call(platform, server.url, {})
    await expect(nobody.emit('listen', { utterance: 'u' })).rejects.toMatchObject({ code: 'unauthenticated' })
    await nobody.hangUp()
    await expect(phone.history()).rejects.toMatchObject({ code: 'plan_required' })
    await hangUp()
    expect(treeOf(telemetry.span('process listen'))).toEqual(exception('process listen ERROR unauthenticated'))
    expect(treeOf(telemetry.span('process history'))).toEqual(exception('process history ERROR plan_required'))
  })

  it('tells what a pipe refuses', async () => {
    const frame = encodeFrame({ utterance: 'u', last: true }, Buffer.alloc(319))
    await expect(phone.emit('audio', frame)).rejects.toMatchObject({ code: 'bad_frame' })
    await hangUp()
    expect(treeOf(telemetry.span('process audio'))).toEqual(exception('process audio ERROR bad_frame'))
  })

  it('tells what a handler refuses', async () => {
    const frame = encodeFrame({ utterance: 'u', last: true }, Buffer.alloc(320))
    await expect(phone.emit('audio', frame)).rejects.toMatchObject({ code: 'not_listening' })
    await hangUp()
    expect(treeOf(telemetry.span('process audio'))).toEqual(exception('process audio ERROR not_listening'))
  })

  it('tells a stream that fails, and the stage that found out', async () => {
    await expect(phone.ask('guten tag')).rejects.toMatchObject({ code: 'not_understood' })
    await hangUp()
    expect(treeOf(telemetry.span('utterance'))).toEqual([
      'INTERNAL utterance ERROR not_understood',
      ...(platform === 'ws' ? [] : ['  CONSUMER process audio x2']),
      '  CONSUMER process listen ERROR not_understood',
      '    INTERNAL receive audio',
      '    PRODUCER enqueue answer',
      '      CONSUMER answer ERROR not_understood',
      '        INTERNAL transcribe',
      '        INTERNAL understand ERROR not_understood',
      '        PRODUCER send exception',
      '    PRODUCER send heard',
      ...(platform === 'ws' ? ['  INTERNAL process audio x2'] : []),
    ])
    expect(telemetry.span('process listen').attributes).toMatchObject({
      'websocket.stream.items': 1,
      'websocket.stream.outcome': 'failed',
    })
  })

  it('tells an answer that nobody waits for any more', async () => {
    phone.wire.events.once('token', () => phone.wire.vanish())
    await expect(phone.ask('how many feet are nine miles?')).rejects.toMatchObject({ code: 'closed' })
    const listen = await telemetry.waitForSpan('process listen')
    expect(listen.attributes['websocket.stream.outcome']).toBe('cancelled')
    expect(listen.attributes['websocket.stream.items']).toBeLessThan(12)
  })
})
