import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanStatusCode } from '@opentelemetry/api'
import { connectionOf, traceWebSocket } from '@otel-ws/client'
import { type ClientOptions, traceSocket } from '@otel-ws/client/socket.io'
import { arounds, turns, withProcessErrors } from '@otel-ws/testkit'
import { Server } from 'socket.io'
import { connect } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { close, kinds, listen } from './clients.ts'
import { useServer } from './server.ts'

/** A traced client whose server sends one message, which `handler` gets. */
interface Host {
  readonly name: string
  /** Name of the process span. */
  readonly span: string
  /** Resolves to a function that disconnects. */
  open(options: ClientOptions, handler: (socket: object) => unknown): Promise<() => Promise<unknown>>
}

const hosts: Host[] = kinds.map(({ name, connect }) => ({
  name,
  span: 'process /chat',
  async open(options, handler) {
    const { wss, url } = await listen()
    wss.on('connection', (socket) => socket.send('hello'))
    const socket = traceWebSocket(connect(url), { route: '/chat', ...options })
    socket.addEventListener(
      'message',
      asynchronous(handler, () => handler(socket)),
    )
    return async () => {
      const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
      socket.close()
      await closed
      await close(wss)
    }
  },
}))

hosts.push({
  name: 'socket.io-client',
  span: 'process hello',
  async open(options, handler) {
    const http = createServer()
    const io = new Server(http)
    io.on('connection', (socket) => socket.emit('hello'))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    const socket = traceSocket(connect(url, { autoConnect: false, forceNew: true, transports: ['websocket'] }), {
      route: '/chat',
      ...options,
    })
    socket.on(
      'hello',
      asynchronous(handler, () => handler(socket)),
    )
    socket.connect()
    return async () => {
      socket.disconnect()
      http.closeAllConnections()
      await io.close()
    }
  },
})

/** A listener of the same kind as the handler. */
function asynchronous(handler: object, listener: () => unknown): () => unknown {
  return handler.constructor === turns.constructor ? async () => listener() : listener
}

describe.each(hosts)('hooks of a client: $name', ({ open, span }) => {
  const fixture = useServer()

  it.each(Object.keys(arounds))('around that %s: handlers run once', async (which) => {
    let handled = 0
    const leave = await open({ around: arounds[which] as never }, () => {
      handled++
    })
    await fixture.telemetry.waitForSpan(span)
    expect(handled).toBe(1)
    await leave()
  })

  it('around surrounds the handlers, with its async context, and is given the facts of the message', async () => {
    const store = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const around: ClientOptions['around'] = (run, { kind, route, connectionId }) => {
      seen.push([kind, route, connectionId.length])
      return store.run('own', run)
    }
    const leave = await open({ around }, async () => {
      seen.push(store.getStore())
      await turns(1)
      seen.push(store.getStore())
    })
    await fixture.telemetry.waitForSpan(span)
    expect(seen).toEqual([['message', '/chat', 16], 'own', 'own'])
    await leave()
  })

  it('around surrounds them without an SDK too', async () => {
    await fixture.telemetry.uninstall()
    const kinds: string[] = []
    let handle: (value: unknown) => void = () => {}
    const handled = new Promise((resolve) => {
      handle = resolve
    })
    const around: ClientOptions['around'] = (run, { kind }) => {
      kinds.push(kind)
      return run()
    }
    const leave = await open({ around }, handle)
    await handled
    expect(kinds).toEqual(['message'])
    await leave()
  })

  it('isError decides whether a failure sets the status', async () => {
    await withProcessErrors(async (errors) => {
      const asked: unknown[] = []
      const isError: ClientOptions['isError'] = (error, { kind }) => {
        asked.push([error instanceof RangeError, kind])
        return false
      }
      const leave = await open({ isError }, async () => {
        throw new RangeError('expected')
      })
      const { status, attributes, events } = await fixture.telemetry.waitForSpan(span)
      expect(status.code).toBe(SpanStatusCode.UNSET)
      expect(attributes['error.type']).toBe('RangeError')
      expect(events).toEqual([])
      expect(asked[0]).toEqual([true, 'message'])
      const [duration] = await fixture.telemetry.collect('websocket.client.message.process.duration')
      expect(duration?.attributes).not.toHaveProperty('error.type')
      expect((await errors.next()).error).toBeInstanceOf(RangeError)
      await leave()
    })
  })

  it('waitUntil keeps the span of the message open, and records the failure that it handles', async () => {
    let finish: (error: Error) => void = () => {}
    const work = new Promise((_, reject) => {
      finish = reject
    })
    const leave = await open({}, (socket) => {
      connectionOf(socket)?.waitUntil(work)
    })
    await fixture.telemetry.waitUntilStarted(span)
    await turns(5)
    expect(fixture.telemetry.openSpans()).toContain(span)
    finish(new RangeError('detached'))
    const { status, attributes } = await fixture.telemetry.waitForSpan(span)
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'detached' })
    expect(attributes['error.type']).toBe('RangeError')
    await leave()
  })

  it('waitUntil outside of a message only handles the rejection', async () => {
    let socketOf: object = {}
    const leave = await open({}, (socket) => {
      socketOf = socket
    })
    await fixture.telemetry.waitForSpan(span)
    await withProcessErrors(async (errors) => {
      connectionOf(socketOf)?.waitUntil(Promise.reject(new RangeError('handled')))
      await turns(5)
      expect(errors.size).toBe(0)
    })
    await leave()
  })
})
