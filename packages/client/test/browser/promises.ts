/** Milliseconds until the promise of a listener settles. */
export const WAIT = 60

interface Case {
  /** The listener. */
  readonly handler: () => unknown
  /** Settles with what the listener returns, or when it was called if that is no promise. */
  readonly settled: Promise<unknown>
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, WAIT))

/** A case whose listener calls back when its work is over. */
function caseOf(listener: (over: () => void) => () => unknown): Case {
  let over: () => void = () => {}
  const settled = new Promise<void>((resolve) => {
    over = resolve
  })
  return { handler: listener(over), settled }
}

/** The global object of another realm. */
function otherRealm(): typeof globalThis {
  const frame = document.createElement('iframe')
  document.body.append(frame)
  return frame.contentWindow as unknown as typeof globalThis
}

/** Listeners by the kind of promise that they return. */
export const promises: Readonly<Record<string, () => Case>> = {
  'an async function': () =>
    caseOf((over) => async () => {
      await later()
      over()
    }),
  'an async function that rejects': () =>
    caseOf((over) => async () => {
      await later()
      over()
      throw new RangeError('rejected')
    }),
  'an async function of an iframe': () =>
    caseOf((over) => {
      const make = otherRealm().eval('(later, over) => async () => { await later(); over() }') as (
        ...args: unknown[]
      ) => () => unknown
      return make(later, over)
    }),
  'a function that returns a promise': () => caseOf((over) => () => later().then(over)),
  'a function that returns a promise of an iframe': () => {
    const realm = otherRealm()
    return caseOf((over) => () => new realm.Promise<void>((resolve) => setTimeout(resolve, WAIT)).then(over))
  },
  'a function that returns an object with a then': () =>
    caseOf((over) => () => {
      setTimeout(over, WAIT)
      return {
        // biome-ignore lint/suspicious/noThenProperty: the subject of this test
        then() {
          throw new Error('started')
        },
      }
    }),
}
