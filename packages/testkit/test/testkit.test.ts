import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { closePayload, decodeFrames, encodeFrame, OPCODE, RawClient, Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

describe('frames', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])('of %i bytes survive the way to and fro', (size) => {
    const payload = Buffer.alloc(size, 'payload')
    const bytes = encodeFrame(OPCODE.binary, payload, { masked: false })
    const { frames, rest } = decodeFrames(Buffer.concat([bytes, bytes.subarray(0, 1)]))
    expect(frames).toEqual([{ opcode: OPCODE.binary, fin: true, reserved: 0, payload }])
    expect(rest.length).toBe(1)
  })

  it('are masked as RFC 6455 says', () => {
    expect(encodeFrame(OPCODE.text, 'Hello').toString('hex')).toBe('818537fa213d7f9f4d5158')
    expect(encodeFrame(OPCODE.ping, 'Hello', { masked: false }).toString('hex')).toBe('890548656c6c6f')
    expect(encodeFrame(OPCODE.text, 'Hel', { masked: false, fin: false }).toString('hex')).toBe('010348656c')
    expect(closePayload(1000, 'ok').toString('hex')).toBe('03e86f6b')
  })

  it('that are not complete are left', () => {
    const bytes = encodeFrame(OPCODE.text, 'x'.repeat(200), { masked: false })
    for (const length of [0, 1, 3, 4, 203]) {
      expect(decodeFrames(bytes.subarray(0, length)).frames).toEqual([])
    }
  })
})

describe('raw client', () => {
  it('keeps what came before the connection ended, and rejects later waits', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
        socket.end(encodeFrame(OPCODE.text, 'last', { masked: false }))
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const client = new RawClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect((await client.response).status).toBe(101)
    await client.closed
    expect((await client.nextFrame()).payload.toString()).toBe('last')
    await expect(client.nextFrame()).rejects.toThrow('closed while a frame was awaited')
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('telemetry', () => {
  let telemetry: Telemetry

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(() => telemetry.uninstall())

  it('sees spans through the global API and resolves waits as they end', async () => {
    const span = trace.getTracer('app').startSpan('work')
    expect(telemetry.openSpans()).toEqual(['work'])
    const waiting = telemetry.waitForSpan('work')
    span.setStatus({ code: SpanStatusCode.ERROR }).end()
    expect((await waiting).status.code).toBe(SpanStatusCode.ERROR)
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.counts()).toEqual({ started: 1, ended: 1 })
    expect(() => telemetry.span('other')).toThrow('expected one span named \'other\', got ["work"]')
  })

  it('notes that a span is ended twice', () => {
    const span = trace.getTracer('app').startSpan('work')
    span.end()
    span.end()
    expect(
      telemetry.diagnostics.filter((line) => line.includes('You can only call end() on a span once')),
    ).toHaveLength(1)
  })

  it('flattens data points', async () => {
    const meter = metrics.getMeter('app')
    meter.createCounter('count', { unit: '{x}' }).add(3, { kind: 'a' })
    meter.createUpDownCounter('level').add(-1)
    meter.createHistogram('time', { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } }).record(1.5)
    expect(await telemetry.collect()).toEqual([
      { name: 'count', unit: '{x}', type: 'counter', attributes: { kind: 'a' }, value: 3 },
      { name: 'level', unit: '', type: 'updown', attributes: {}, value: -1 },
      { name: 'time', unit: 's', type: 'histogram', attributes: {}, count: 1, sum: 1.5, boundaries: [1, 2] },
    ])
  })

  it('leaves no trace of itself', async () => {
    await telemetry.uninstall()
    trace.getTracer('app').startSpan('unseen').end()
    expect(telemetry.counts()).toEqual({ started: 0, ended: 0 })
  })
})
