import { Queue } from '@otel-ws/testing'

export interface ProcessError {
  readonly event: 'uncaughtException' | 'unhandledRejection'
  readonly error: unknown
}

/**
 * Runs `script` with the process's own handling of uncaught exceptions and unhandled rejections replaced by a queue,
 * for tests that make them on purpose.
 */
export async function withProcessErrors<T>(script: (errors: Queue<ProcessError>) => Promise<T>): Promise<T> {
  const errors = new Queue<ProcessError>('error of the process')
  const uncaught = process.listeners('uncaughtException')
  const unhandled = process.listeners('unhandledRejection')
  process.removeAllListeners('uncaughtException')
  process.removeAllListeners('unhandledRejection')
  process.on('uncaughtException', (error) => errors.push({ event: 'uncaughtException', error }))
  process.on('unhandledRejection', (error) => errors.push({ event: 'unhandledRejection', error }))
  try {
    return await script(errors)
  } finally {
    process.removeAllListeners('uncaughtException')
    process.removeAllListeners('unhandledRejection')
    for (const listener of uncaught) process.on('uncaughtException', listener)
    for (const listener of unhandled) process.on('unhandledRejection', listener)
  }
}
