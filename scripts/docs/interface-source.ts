import ts from 'typescript'

/** A member of an interface and its comment, on one line. */
export interface Member {
  readonly name: string
  readonly text: string
}

/** An interface of a source file. */
export interface Interface {
  /** Its own members, in order. */
  readonly members: readonly Member[]
  /** Names that it picks from another interface by `extends Pick<…, names>`. */
  readonly picked: readonly string[]
}

/** Reads an interface with the comments of its members. Throws when the source has no interface of this name. */
export function readInterface(source: string, name: string): Interface {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true)
  const found = file.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  )
  if (found === undefined) throw new Error(`no interface ${name}`)
  const members = found.members.map((member) => ({
    name: member.name?.getText(file) ?? '',
    text: ts
      .getJSDocCommentsAndTags(member)
      .filter(ts.isJSDoc)
      .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
      .join(' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  }))
  const bases = found.heritageClauses?.flatMap(({ types }) => types) ?? []
  return { members, picked: bases.flatMap(({ typeArguments }) => typeArguments?.flatMap(literals) ?? []) }
}

/** The string literals of a union. */
function literals(type: ts.TypeNode): string[] {
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(literals)
  return ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : []
}
