import { describe, expect, it } from 'vitest'
import { graphqlOperation } from '../../src/protocols/builtin/graphql-document.ts'

describe('graphqlOperation', () => {
  it.each([
    ['{ hello }', undefined, undefined, 'query'],
    ['query Hello { hello }', undefined, 'Hello', 'query'],
    ['mutation { a }', undefined, undefined, 'mutation'],
    ['# a subscription\n\n  subscription Ticks($n: Int = 3) { ticks(n: $n) }', undefined, 'Ticks', 'subscription'],
    ['fragment F on User { name } query Q { user { ...F } }', undefined, 'Q', 'query'],
    ['fragment F on U { a(x: "}") b(y: """ } """) # }\n } mutation M { c }', undefined, 'M', 'mutation'],
    ['query A { a } subscription B { b }', 'B', 'B', 'subscription'],
    ['query A($x: In = { a: 1 }) { a } mutation C { c }', 'C', 'C', 'mutation'],
  ])('reads %j, asked for %s', (document, asked, name, type) => {
    expect(graphqlOperation(document, asked)).toEqual({ name, type })
  })

  it.each(['', 'type Query { a: Int }', 'query A { a', '{{{', '"""'])('knows nothing of %j', (document) => {
    expect(graphqlOperation(document, 'Asked').type).toBe(undefined)
  })

  it('needs little time for documents that are made to take much', () => {
    const started = performance.now()
    for (const part of ['#', '"""', '{', '"\\', 'fragment a on b {', '"a\n', ',']) {
      graphqlOperation(part.repeat(16_000 / part.length), 'Asked')
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
