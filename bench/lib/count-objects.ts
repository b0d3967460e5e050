import { relative } from 'node:path'
import type { Rolldown } from 'tsdown'
import ts from 'typescript'

/**
 * A plugin that makes the source files below `packages` count each object that one of their literals or closures makes, in
 * `globalThis.madeObjects`, by file and text. Files of tests and of other folders stay as they are.
 */
export function countObjects(packages: string): Rolldown.Plugin {
  return {
    name: 'count-objects',
    transform(code, id) {
      const path = relative(packages, id)
      return /^[^./][^/]*\/src\/.*\.ts$/.test(path) ? { code: counting(code, path), map: null } : undefined
    },
  }
}

const TEXT_LENGTH = 60
const COUNTER = '__countObject'

/** The same source, with a call before each expression that makes an object. */
export function counting(source: string, path: string): string {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const insertions: { at: number; text: string }[] = []
  const visit = (node: ts.Node): void => {
    if (makesObject(node)) {
      const start = node.getStart(file)
      const text = node.getText(file).replaceAll(/\s+/g, ' ').slice(0, TEXT_LENGTH)
      const place = `${path}: ${text}`
      insertions.push({ at: start, text: `(${COUNTER}(${JSON.stringify(place)}), ` })
      insertions.push({ at: node.end, text: ')' })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  let result = source
  // From the end on, so that the places before stay where they are. What ends where another one starts comes first.
  for (const { at, text } of insertions.sort((a, b) => b.at - a.at || (a.text === ')' ? 1 : -1)))
    result = result.slice(0, at) + text + result.slice(at)
  return `${result}\nfunction ${COUNTER}(place: string) {
  const made = ((globalThis as { madeObjects?: Record<string, number> }).madeObjects ??= {})
  made[place] = (made[place] ?? 0) + 1
}\n`
}

function makesObject(node: ts.Node): boolean {
  if (ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node)) return !isPattern(node)
  return (
    ts.isArrowFunction(node) ||
    ts.isFunctionExpression(node) ||
    ts.isClassExpression(node) ||
    ts.isRegularExpressionLiteral(node)
  )
}

/** True for the left side of an assignment by destructuring, which looks like a literal, and for what is inside it. */
function isPattern(node: ts.Node): boolean {
  const { parent } = node
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken)
    return parent.left === node
  if (ts.isForOfStatement(parent) || ts.isForInStatement(parent)) return parent.initializer === node
  if (ts.isPropertyAssignment(parent) || ts.isSpreadElement(parent) || ts.isSpreadAssignment(parent))
    return isPattern(parent.parent)
  if (ts.isArrayLiteralExpression(parent) || ts.isObjectLiteralExpression(parent)) return isPattern(parent)
  return false
}
