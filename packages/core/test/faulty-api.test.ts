import { type Context, type ContextManager, context, ROOT_CONTEXT, type Span, type Tracer } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { activeContext, bindContext, runInContext } from '../src/api/context.ts'
import { endSpan, idsOf, isInsideSdk, isRecording, setAttribute, setAttributes, startSpan } from '../src/api/span.ts'

type With = (run: () => unknown) => unknown

/** Registers a context manager whose `with` calls back in its own way. */
function register(around: With, active: () => Context = () => ROOT_CONTEXT): void {
  const manager: ContextManager = {
    active,
    with: ((_: Context, fn: (...args: unknown[]) => unknown, self: unknown, ...args: unknown[]) =>
      around(() => fn.apply(self, args))) as ContextManager['with'],
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  context.setGlobalContextManager(manager)
}

const broken = (): never => {
  throw new Error('the context manager is broken')
}

const managers: Readonly<Record<string, With>> = {
  'throws before it calls back': broken,
  'throws after it has called back': (run) => {
    run()
    return broken()
  },
  'calls back twice': (run) => {
    run()
    return run()
  },
  'never calls back': () => undefined,
  'keeps errors': (run) => {
    try {
      return run()
    } catch {
      return 'kept'
    }
  },
  'returns something else': (run) => {
    run()
    return 'something else'
  },
}

describe('runInContext', () => {
  afterEach(() => context.disable())

  describe.each(Object.keys(managers))('with a context manager that %s', (which) => {
    it('calls once with the arguments, and returns the result', () => {
      register(managers[which] as With)
      const calls: unknown[][] = []
      const code = (...args: unknown[]) => {
        calls.push(args)
        return args.length
      }
      expect(runInContext(ROOT_CONTEXT, code, 1, 2, 3, 4)).toBe(4)
      expect(calls).toEqual([[1, 2, 3, 4]])
    })

    it('throws the error of the code, the same object', () => {
      register(managers[which] as With)
      let calls = 0
      const error = new RangeError('of the code')
      const code = () => {
        calls++
        throw error
      }
      expect(() => runInContext(ROOT_CONTEXT, code)).toThrow(error)
      expect(calls).toBe(1)
    })

    it('keeps nested calls apart', () => {
      register(managers[which] as With)
      const inner = (text: string) => `${text}, then inner`
      const outer = (text: string) => `${runInContext(ROOT_CONTEXT, inner, text)}, then outer`
      expect(runInContext(ROOT_CONTEXT, outer, 'first')).toBe('first, then inner, then outer')
    })
  })

  it('does not run code again when the context manager calls back later', () => {
    let late: (() => unknown) | undefined
    register((run) => {
      late = run
    })
    let calls = 0
    const count = () => ++calls
    expect(runInContext(ROOT_CONTEXT, count)).toBe(1)
    late?.()
    const first = late
    expect(runInContext(ROOT_CONTEXT, count)).toBe(2)
    first?.()
    expect(calls).toBe(2)
  })

  it('binds functions with their `this` and arguments', () => {
    register(broken)
    const bound = bindContext(function (this: unknown, ...args: number[]) {
      return [this, ...args]
    })
    const self = {}
    expect(bound.call(self, 1, 2, 3, 4, 5)).toEqual([self, 1, 2, 3, 4, 5])
  })

  it('takes the root context for one that cannot be read', () => {
    register((run) => run(), broken)
    expect(activeContext()).toBe(ROOT_CONTEXT)
  })
})

describe('a span that throws', () => {
  const span = new Proxy({}, { get: () => broken }) as Span

  it('is one that records nothing', () => {
    expect(isRecording(span)).toBe(false)
    expect(idsOf(span)).toBe(undefined)
    setAttribute(span, 'a', 1)
    setAttributes(span, { a: 1 })
    endSpan(span)
    expect(isInsideSdk()).toBe(false)
  })

  it('or cannot be started is none', () => {
    expect(startSpan({ startSpan: broken } as unknown as Tracer, 'a', {}, ROOT_CONTEXT)).toBe(undefined)
    expect(isInsideSdk()).toBe(false)
  })

  it('is not given attributes of a hook that cannot be read', () => {
    const attributes = Object.defineProperty({}, 'a', { get: broken, enumerable: true })
    const reading = { setAttributes: (given: object) => Object.entries(given) } as unknown as Span
    expect(() => setAttributes(reading, attributes)).not.toThrow()
  })
})
