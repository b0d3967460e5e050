import { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'
import { useApps } from './apps.ts'

const apps = useApps()

type Line = Record<string, unknown>

/** Options of a logger that keeps its lines. */
function recorder(options: object = {}): { lines: Line[]; fastify: FastifyServerOptions } {
  const lines: Line[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line) as Line)
      done()
    },
  })
  return { lines, fastify: { logger: { level: 'info', stream, ...options } } }
}

function ids(line: Line | undefined): unknown[] {
  return [line?.['trace_id'], line?.['span_id'], line?.['trace_flags']]
}

describe('request.log', () => {
  it.each(['first', 'last'])('has the ids of the active span, with otelWs registered %s', async (order) => {
    const { lines, fastify } = recorder()
    const app = await apps.create({ fastify, last: order === 'last' })
    app.get(
      '/ws',
      { websocket: true, preHandler: async (request) => request.log.info('in preHandler') },
      (socket, request) => {
        request.log.info('in the handler')
        socket.on('message', async (data) => {
          await setImmediate()
          request.log.child({ user: 'ada' }).info({ data: data.toString() }, 'in a listener')
          socket.send('ok')
        })
      },
    )
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    await client.next()
    await client.close(1000)
    await apps.telemetry.waitForSpan('close /ws')
    for (const [message, name] of [
      ['in preHandler', 'GET /ws'],
      ['in the handler', 'open /ws'],
      ['in a listener', 'process /ws'],
    ] as const) {
      const { traceId, spanId } = apps.telemetry.span(name).spanContext()
      const line = lines.find(({ msg }) => msg === message)
      expect([message, ...ids(line)]).toEqual([message, traceId, spanId, '01'])
      expect(line?.['reqId']).toBe('req-1')
    }
    expect(lines.find(({ msg }) => msg === 'in a listener')).toMatchObject({ user: 'ada', data: 'x' })
  })

  it('outside of any span has no ids', async () => {
    const { lines, fastify } = recorder()
    const app = await apps.create({ fastify })
    let later = (): void => {}
    app.get('/ws', { websocket: true }, (_socket, request) => {
      later = () => request.log.info('later')
    })
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    await apps.telemetry.waitForSpan('open /ws')
    later()
    await client.close(1000)
    expect(ids(lines.find(({ msg }) => msg === 'later'))).toEqual([undefined, undefined, undefined])
    await apps.telemetry.waitForSpan('close /ws')
  })

  it('of plain HTTP, and the log of the application, do not change', async () => {
    const { lines, fastify } = recorder()
    const app = await apps.create({ fastify })
    app.get('/plain', async (request) => {
      request.log.info('plain')
      return ''
    })
    app.get('/ws', { websocket: true }, () => app.log.info('application'))
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    await client.close(1000)
    await app.inject('/plain')
    for (const message of ['plain', 'application']) {
      expect(ids(lines.find(({ msg }) => msg === message))).toEqual([undefined, undefined, undefined])
    }
    await apps.telemetry.waitForSpan('close /ws')
  })

  it('keeps a mixin of the application, whose fields win', async () => {
    const { lines, fastify } = recorder({ mixin: () => ({ app: 'chat', span_id: 'own' }) })
    const app = await apps.create({ fastify })
    app.get('/ws', { websocket: true }, (_socket, request) => request.log.info('hi'))
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    await client.close(1000)
    await apps.telemetry.waitForSpan('close /ws')
    const { traceId } = apps.telemetry.span('open /ws').spanContext()
    expect(lines.find(({ msg }) => msg === 'hi')).toMatchObject({ app: 'chat', span_id: 'own', trace_id: traceId })
  })

  it("that does not exist, or is not Pino's, is not changed", async () => {
    const said: unknown[] = []
    const plain = {
      ...Object.fromEntries(
        ['info', 'error', 'debug', 'fatal', 'warn', 'trace', 'silent'].map((level) => [level, () => {}]),
      ),
      info: (message: unknown) => said.push(message),
      level: 'info',
      child: () => plain,
    }
    for (const fastify of [{ logger: false }, { loggerInstance: plain }, { loggerInstance: Object.freeze(plain) }]) {
      const app = await apps.create({ fastify: fastify as FastifyServerOptions })
      app.get('/ws', { websocket: true }, (socket, request) => {
        request.log.info('hi')
        socket.close(1000)
      })
      const client = await apps.connect(`${await apps.listen(app)}/ws`)
      expect((await client.closed).code).toBe(1000)
    }
    expect(said.filter((message) => message === 'hi')).toHaveLength(2)
    await apps.telemetry.waitForSpan('close /ws', 3)
  })
})
