import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Telemetry } from '../testing/telemetry.ts'

type Method = (this: unknown, ...args: unknown[]) => unknown

/** How a method is called. */
export interface PassThrough {
  /** The first arguments, which must be right. Default: none, so that all are random. */
  readonly first?: () => readonly unknown[]
  /** Positions of arguments that telemetry replaces by wrappers of its own. */
  readonly replaces?: readonly number[]
}

/** Values as applications pass them by mistake, or on purpose. */
const odd = fc.oneof(
  fc.constantFrom<unknown[]>(undefined, null, true, 0, -1, Number.NaN, '', 'custom', 'message', [], {}),
  fc.constantFrom<unknown[]>(
    () => {},
    Symbol('odd'),
    new Date(0),
    Buffer.from('bytes'),
    new Error('odd'),
    Object.create(null),
    new Proxy({}, {}),
  ),
  fc.string({ maxLength: 5 }),
  fc.jsonValue({ maxDepth: 1 }),
)

/** Has an SDK there for the tests of a file. What is added to the list is called when they are over. */
export function passThroughEnds(): (() => unknown)[] {
  const telemetry = new Telemetry()
  const ends: (() => unknown)[] = []
  beforeAll(() => telemetry.install())
  afterAll(async () => {
    for (const end of ends) await end()
    await telemetry.uninstall()
  })
  return ends
}

/**
 * Declares that traced methods pass on all their arguments and `this`, and return or throw what the original does.
 *
 * @param methods the names of the methods, and how they are called
 * @param create makes an object that has these originals, and has it traced
 */
export function passThroughSuite(
  subject: string,
  methods: Readonly<Record<string, PassThrough>>,
  create: (originals: Readonly<Record<string, Method>>) => Promise<object> | object,
): void {
  describe(`the methods of ${subject}`, () => {
    const failure = new RangeError('thrown by the original')
    const calls: { self: unknown; args: unknown[] }[] = []
    let result: unknown
    let throws = false
    let target: Record<string, Method>

    beforeAll(async () => {
      const original: Method = function (this: unknown, ...args: unknown[]): unknown {
        calls.push({ self: this, args })
        if (throws) throw failure
        return result
      }
      const originals: Record<string, Method> = {}
      for (const name of Object.keys(methods)) {
        originals[name] = function (this: unknown, ...args: unknown[]): unknown {
          return original.apply(this, args)
        }
      }
      target = (await create(originals)) as Record<string, Method>
      for (const name of Object.keys(methods)) expect(target[name], name).not.toBe(originals[name])
    })

    // The objects that the tests share are closed now.
    afterAll(() => {
      throws = false
    })

    it.each(Object.entries(methods))('%s', (name, { first = () => [], replaces = [] }) => {
      fc.assert(
        fc.property(fc.array(odd, { maxLength: 6 }), fc.boolean(), fc.boolean(), (more, fails, hasResult) => {
          calls.length = 0
          throws = fails
          result = hasResult ? Symbol('result') : undefined
          const args = [...first(), ...more]
          const outcome = attempt(() => target[name]?.call(target, ...args))
          expect(outcome).toEqual(fails ? { error: failure } : { result })
          expect(calls).toHaveLength(1)
          const [call] = calls
          expect(call?.self).toBe(target)
          expect(call?.args).toHaveLength(args.length)
          for (const [at, value] of args.entries()) if (!replaces.includes(at)) expect(call?.args[at]).toBe(value)
        }),
        { numRuns: 100 },
      )
    })
  })
}

function attempt(call: () => unknown): { result: unknown } | { error: unknown } {
  try {
    return { result: call() }
  } catch (error) {
    return { error }
  }
}
