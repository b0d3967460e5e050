import { DiagLogLevel, diag } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { Diagnostics } from '../src/span/diagnostics.ts'
import { errorType } from '../src/span/error-type.ts'

class PaymentError extends Error {}

describe('errorType', () => {
  it.each([
    [new Error('x'), 'Error'],
    [new TypeError('x'), 'TypeError'],
    [new PaymentError('x'), 'PaymentError'],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error('x'), { code: 42 }), 'Error'],
    [Object.assign(new Error('x'), { code: '' }), 'Error'],
    [Object.assign(new TypeError('x'), { code: 'x'.repeat(65) }), 'TypeError'],
    ['text', 'string'],
    [42, 'number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ code: 'X' }, 'object'],
  ])('of %o is %s', (error, type) => {
    expect(errorType(error)).toBe(type)
  })

  it('of an error that cannot even be looked at is Error', () => {
    const hostile = new Error('x')
    Object.defineProperty(hostile, 'code', {
      get() {
        throw new Error('no')
      },
    })
    expect(errorType(hostile)).toBe('Error')
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(errorType(proxy)).toBe('Error')
  })

  it('of a class without a name, or with a huge one, is short', () => {
    expect(errorType(new (class extends Error {})())).toBe('Error')
    const Huge = { ['H'.repeat(100)]: class extends Error {} }['H'.repeat(100)] as new () => Error
    expect(errorType(new Huge())).toBe('H'.repeat(64))
  })
})

describe('Diagnostics', () => {
  afterEach(() => diag.disable())

  it('reports each hook once', () => {
    const lines: unknown[][] = []
    const note = (...line: unknown[]) => lines.push(line)
    diag.setLogger({ error: note, warn: note, info: note, debug: note, verbose: note }, DiagLogLevel.ALL)
    lines.length = 0
    const error = new Error('x')
    const one = new Diagnostics()
    for (let i = 0; i < 3; i++) one.hookFailed('onMessage', error)
    one.hookFailed('onClose', error)
    new Diagnostics().hookFailed('onMessage', error)
    expect(lines.map((line) => /option (\w+):/.exec(line.join(' '))?.[1])).toEqual([
      'onMessage',
      'onClose',
      'onMessage',
    ])
    expect(lines[0]).toContain(error)
  })
})
