import ts from 'typescript'
import { expect, it } from 'vitest'
import { counting } from '../lib/count-objects.ts'

/** Runs a source that counts; returns what it counted. */
function countsOf(source: string): Record<string, number> {
  const { outputText } = ts.transpileModule(counting(source, 'core/src/a.ts'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  })
  const globals: { madeObjects?: Record<string, number> } = {}
  new Function('globalThis', 'exports', outputText)(globals, {})
  return globals.madeObjects ?? {}
}

it('counts literals and closures each time they are evaluated, and not where they are not', () => {
  const source = `
    function point(known?: { x: number }) { return known ?? { x: 1 } }
    for (let i = 0; i < 3; i++) point()
    point(point())
    if (!point()) [].map(() => 2)
    export {}`
  expect(countsOf(source)).toEqual({ 'core/src/a.ts: { x: 1 }': 5 })
})

it('counts nested ones apart, and functions when they are made, not when they are called', () => {
  const source = `
    const twice = (run: () => void) => { run(); run() }
    twice(function () { return [/a/] })`
  expect(countsOf(source)).toEqual({
    'core/src/a.ts: (run: () => void) => { run(); run() }': 1,
    'core/src/a.ts: function () { return [/a/] }': 1,
    'core/src/a.ts: [/a/]': 2,
    'core/src/a.ts: /a/': 2,
  })
})

it('leaves patterns alone', () => {
  const source = `
    let a = 1, b = 2, rest: unknown
    ;[a, { b, ...rest }] = [b, { b: a }] as never
    for ([a] of [[1]]) b = a`
  expect(countsOf(source)).toEqual({
    'core/src/a.ts: [b, { b: a }]': 1,
    'core/src/a.ts: { b: a }': 1,
    'core/src/a.ts: [[1]]': 1,
    'core/src/a.ts: [1]': 1,
  })
})
