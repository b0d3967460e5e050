import type { Queue } from '@otel-ws/testing'
import { kindOf } from '../../shared/kind-of.ts'
import { turns } from '../../shared/turns.ts'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { type ProcessError, withProcessErrors } from '../../testing/process-errors.ts'
import type { Script, Stage } from './stage.ts'

const failure = new TypeError('the application failed')

/** Runs `handler` for the first of two messages, and logs which errors reach the process. */
function failing(handler: (stage: Stage) => unknown, expected: number): Script {
  return (stage) =>
    withProcessErrors(async (errors) => {
      const host = await stage.serve({
        connection(socket) {
          socket.onMessage(
            kindOf(handler, (data: string | Buffer) => (data === 'first' ? handler(stage) : stage.send(socket, data))),
          )
        },
      })
      const client = await stage.rawConnect(host)
      client.write(encodeFrame(OPCODE.text, 'first'))
      await logErrors(stage, errors, expected)
      if (expected > 0) return
      client.write(encodeFrame(OPCODE.text, 'second'))
      stage.log((await client.nextFrame()).payload)
    })
}

async function logErrors(stage: Stage, errors: Queue<ProcessError>, expected: number): Promise<void> {
  for (let count = 0; count < expected; count++) {
    const { event, error } = await errors.next()
    stage.log(event, error, error === failure)
  }
  await turns(10)
  stage.log('more errors', errors.size)
}

/**
 * What a handler of messages throws.
 *
 * @param isCaught true for hosts that log it: the next message is then handled as any other
 */
export function thrownScripts(isCaught: boolean): Readonly<Record<string, Script>> {
  const expected = isCaught ? 0 : 1
  return {
    'an error thrown by a handler': failing(() => {
      throw failure
    }, expected),

    'a text thrown by a handler': failing(() => {
      throw 'text'
    }, expected),
  }
}

/** Rejections and other returned values of a handler of messages. */
export const handlerScripts: Readonly<Record<string, Script>> = {
  'a late rejection of a handler': failing(async () => {
    await turns(2)
    throw failure
  }, 1),

  'a rejection that the handler has handled': failing(() => {
    const promise = Promise.reject(failure)
    promise.catch(() => {})
  }, 0),

  'a promise that the handler returns and whose rejection is handled elsewhere': failing(() => {
    const promise = turns(1).then(() => {
      throw failure
    })
    promise.catch(() => {})
    return promise
  }, 0),

  'a query builder that a handler returns, which must not be started': failing(
    (stage) => ({
      // biome-ignore lint/suspicious/noThenProperty: the subject of this test
      then: (resolve: (value: string) => void) => {
        stage.log('started')
        resolve('rows')
      },
    }),
    0,
  ),
}
