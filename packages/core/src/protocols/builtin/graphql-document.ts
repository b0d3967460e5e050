/** The operation of a GraphQL document. */
export interface GraphqlOperation {
  readonly name: string | undefined
  readonly type: 'query' | 'mutation' | 'subscription' | undefined
}

const UNKNOWN: GraphqlOperation = { name: undefined, type: undefined }

/** What comes before a definition: white space, commas and comments. */
const IGNORED = /(?:[\s,\ufeff]+|#[^\n\r]*)*/y
const DEFINITION = /(query|mutation|subscription|fragment)\b[\s,]*([_A-Za-z][_0-9A-Za-z]*)?/y
/** What has to be passed by to find the end of a definition. */
const TOKEN = /"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\[\s\S])*"|#[^\n\r]*|[{}]/g

/**
 * Name and type of the operation that is executed of a document: the one of this name, else the first. Reads keywords and
 * braces only.
 */
export function graphqlOperation(document: string | undefined, operationName: string | undefined): GraphqlOperation {
  if (document === undefined) return UNKNOWN
  let at = 0
  // A document has few definitions.
  for (let definitions = 0; definitions < 50; definitions++) {
    at = passed(IGNORED, document, at)
    if (document[at] === '{') return operationName === undefined ? { name: undefined, type: 'query' } : UNKNOWN
    DEFINITION.lastIndex = at
    const [found, keyword, name] = DEFINITION.exec(document) ?? []
    if (found === undefined) return UNKNOWN
    if (keyword !== 'fragment' && (operationName === undefined || operationName === name)) {
      return { name, type: keyword as GraphqlOperation['type'] }
    }
    at = definitionEnd(document, at + found.length)
    if (at === -1) return UNKNOWN
  }
  return UNKNOWN
}

function passed(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  pattern.exec(text)
  return Math.max(at, pattern.lastIndex)
}

/** Index behind the selection set of a definition, or -1. Braces of default values in front of it are balanced too. */
function definitionEnd(document: string, at: number): number {
  let depth = 0
  TOKEN.lastIndex = at
  for (let match = TOKEN.exec(document); match !== null; match = TOKEN.exec(document)) {
    if (match[0] === '{') depth++
    else if (match[0] === '}' && --depth === 0) {
      const end = TOKEN.lastIndex
      // A default value of a variable ends in the same way, inside of parentheses.
      const next = document[passed(IGNORED, document, end)]
      if (next === undefined || next === '{' || /[a-z]/.test(next)) return end
    }
  }
  return -1
}
