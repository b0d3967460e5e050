import { AsyncLocalStorage } from 'node:async_hooks'

/** What a hook `around` may do, by a name for its tests.  */
export const arounds: Readonly<Record<string, (run: () => unknown) => unknown>> = {
  'runs it': (run) => run(),
  'runs it twice': (run) => {
    run()
    run()
  },
  'never runs it': () => {},
  'throws before': () => {
    throw new Error('of the hook')
  },
  'throws afterwards': (run) => {
    run()
    throw new Error('of the hook')
  },
  'runs it later': async (run) => {
    await null
    run()
  },
  rejects: async (run) => {
    run()
    throw new Error('of the hook')
  },
}

/** An async store that a hook `around` sets for each handler. */
export const store = new AsyncLocalStorage<string>()
