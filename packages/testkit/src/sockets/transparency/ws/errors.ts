import { EventEmitter } from 'node:events'
import type { Queue } from '@otel-ws/testing'
import type { WebSocket } from 'ws'
import { kindOf } from '../../../shared/kind-of.ts'
import { turns } from '../../../shared/turns.ts'
import { encodeFrame, OPCODE } from '../../../testing/frames.ts'
import { type ProcessError, withProcessErrors } from '../../../testing/process-errors.ts'
import type { WsScript, WsStage } from '../ws-stage.ts'

const failure = new TypeError('the application failed')

/** Serves `listener` for one message, and logs which errors reach the process. */
function failing(
  listener: (stage: WsStage) => unknown,
  expected: number,
  prepare: (socket: EventEmitter, stage: WsStage) => void = () => {},
): WsScript {
  return (stage) =>
    withProcessErrors(async (errors) => {
      const host = await stage.serve({
        connection(socket) {
          prepare(socket, stage)
          socket.on(
            'message',
            kindOf(listener, () => listener(stage)),
          )
          socket.on('message', () => {
            stage.log('second listener')
            socket.send('seen')
          })
          socket.on('ping', () => socket.send('alive'))
        },
      })
      const client = await stage.rawConnect(host)
      client.write(encodeFrame(OPCODE.text, 'x'))
      await logErrors(stage, errors, expected)
    })
}

async function logErrors(stage: WsStage, errors: Queue<ProcessError>, expected: number): Promise<void> {
  for (let count = 0; count < expected; count++) {
    const { event, error } = await errors.next()
    stage.log(event, error, error === failure)
  }
  await turns(10)
  stage.log('more errors', errors.size)
}

/** Runs with `captureRejections` for every emitter that is made meanwhile. */
function capturing(connection: (socket: WebSocket, stage: WsStage, captured: () => void) => void): WsScript {
  return async (stage) => {
    EventEmitter.captureRejections = true
    try {
      await withProcessErrors(async (errors) => {
        let captured: () => void = () => {}
        const isCaptured = new Promise<void>((resolve) => {
          captured = resolve
        })
        const host = await stage.serve({ connection: (socket) => connection(socket, stage, captured) })
        const client = await stage.rawConnect(host)
        client.write(encodeFrame(OPCODE.text, 'x'))
        await isCaptured
        await logErrors(stage, errors, 0)
      })
    } finally {
      EventEmitter.captureRejections = false
    }
  }
}

/** Errors and rejections of listeners, and errors of sends. */
export const wsErrorScripts: Readonly<Record<string, WsScript>> = {
  'an error thrown by a listener': failing(() => {
    throw failure
  }, 1),

  'a text thrown by a listener': failing(() => {
    throw 'text'
  }, 1),

  'a rejection of an async listener': failing(async () => {
    throw failure
  }, 1),

  'a late rejection of an async listener': failing(async () => {
    await turns(2)
    throw failure
  }, 1),

  'a rejected promise that a listener returns': failing(() => Promise.reject(failure), 1),

  'rejections of several listeners': failing(
    async () => {
      throw failure
    },
    2,
    (socket) =>
      socket.on('message', async () => {
        throw new RangeError('another')
      }),
  ),

  'a rejection that the listener has handled': failing(() => {
    const promise = Promise.reject(failure)
    promise.catch(() => {})
  }, 0),

  'a query builder that a listener returns, which must not be started': failing(
    (stage) => ({
      // biome-ignore lint/suspicious/noThenProperty: the subject of this test
      then: (resolve: (value: string) => void) => {
        stage.log('started')
        resolve('rows')
      },
    }),
    0,
  ),

  'an object whose then must not even be looked at': failing(
    (stage) =>
      new Proxy(
        {},
        {
          get: (_target, key) => stage.log('read', key),
          getPrototypeOf: () => Promise.prototype,
        },
      ),
    0,
  ),

  'a promise with a then of its own, which must not be called': failing((stage) => {
    const promise = Promise.resolve('value')
    return Object.defineProperty(promise, 'then', {
      value(...args: Parameters<typeof promise.then>) {
        stage.log('own then')
        return Promise.prototype.then.apply(promise, args)
      },
    })
  }, 0),

  'a lazy subclass of Promise': failing((stage) => {
    class Lazy extends Promise<string> {
      // biome-ignore lint/suspicious/noThenProperty: the subject of this test
      override then<A = string, B = never>(
        resolved?: ((value: string) => A | PromiseLike<A>) | null,
        rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
      ): Promise<A | B> {
        stage.log('started')
        return super.then(resolved, rejected)
      }
    }
    return new Lazy((resolve) => resolve('rows'))
  }, 0),

  'captured rejections': capturing((socket, stage, captured) => {
    socket.on('error', (error) => {
      stage.log('error event', error === failure)
      captured()
    })
    socket.on('message', async () => {
      throw failure
    })
  }),

  'captured rejections with a handler of their own': capturing((socket, stage, captured) => {
    const own = socket as unknown as Record<symbol, unknown>
    own[Symbol.for('nodejs.rejection')] = (error: unknown, event: string, ...args: unknown[]) => {
      stage.log('captured', error === failure, event, ...args)
      captured()
    }
    socket.once('message', async () => {
      throw failure
    })
  }),

  async 'errors of send'(stage) {
    const host = await stage.serve({
      connection(socket) {
        const circular: Record<string, unknown> = {}
        circular.self = circular
        const bad: unknown[] = [circular, Symbol('x'), () => {}, true, -1]
        for (const data of bad) {
          try {
            socket.send(data as string)
            stage.log('sent')
          } catch (error) {
            stage.log(error)
          }
        }
        try {
          socket.close(42)
        } catch (error) {
          stage.log(error, socket.readyState)
        }
        try {
          socket.ping('x'.repeat(126))
        } catch (error) {
          stage.log(error)
        }
        const { send } = socket
        try {
          Reflect.apply(send, undefined, ['detached'])
        } catch (error) {
          stage.log((error as Error).constructor.name)
        }
        socket.send('end')
      },
    })
    const client = await stage.rawConnect(host)
    for (;;) {
      const frame = await client.nextFrame()
      stage.log(frame.opcode, frame.payload)
      if (frame.payload.toString() === 'end') return
    }
  },

  async 'sends and callbacks after the close'(stage) {
    let done: () => void = () => {}
    const finished = new Promise<void>((resolve) => {
      done = resolve
    })
    const host = await stage.serve({
      connection(socket) {
        const note =
          (name: string) =>
          (...args: unknown[]): void =>
            stage.log(name, args.length, args)
        socket.send('open', note('open'))
        socket.close(1000)
        stage.log(socket.send('closing', note('closing')))
        stage.log(socket.send('closing', {}, note('closing, options')))
        stage.log(socket.send('closing, no callback'), socket.send(new Blob(['x']) as never, note('blob')))
        socket.ping('p', undefined, note('ping'))
        stage.log(socket.bufferedAmount)
        process.nextTick(() => stage.log('tick'))
        queueMicrotask(() => stage.log('microtask'))
        socket.on('close', () => {
          socket.send('closed', note('closed'))
          stage.log(socket.send('closed, no callback'), socket.close(), socket.terminate())
          process.nextTick(() => process.nextTick(done))
        })
      },
    })
    const client = await stage.rawConnect(host)
    while ((await client.nextFrame()).opcode !== OPCODE.close) {}
    client.send(OPCODE.close)
    await finished
    await client.closed
  },

  async 'callbacks of sends that the connection cuts off'(stage) {
    let done: () => void = () => {}
    const finished = new Promise<void>((resolve) => {
      done = resolve
    })
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', () => {
          socket.send(Buffer.alloc(32 * 1024 * 1024), (error) => stage.log('large', error))
          socket.send('small', (error) => {
            stage.log('small', error)
            done()
          })
          socket.terminate()
        })
        socket.on('close', (code) => stage.log('close', code))
        socket.on('error', (error) => stage.log('error', error))
      },
    })
    const client = await stage.rawConnect(host)
    client.socket.pause()
    client.send(OPCODE.text, 'go')
    await finished
    await turns()
  },
}
