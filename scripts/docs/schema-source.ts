import ts from 'typescript'

/** An exported constant of the schema and what its comment says. */
export interface Declaration {
  readonly constant: string
  /** The comment without its tags, on one line. */
  readonly text: string
  readonly tags: Readonly<Record<string, string>>
}

/** Reads the exported constants of a source text, in order, with their comments. */
export function readDeclarations(source: string): Declaration[] {
  const file = ts.createSourceFile('schema.ts', source, ts.ScriptTarget.Latest, true)
  const found: Declaration[] = []
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue
    if (!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
    const comments = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc)
    const text = comments.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '').join(' ')
    const tags = ts
      .getJSDocTags(statement)
      .map((tag): [string, string] => [tag.tagName.text, oneLine(ts.getTextOfJSDocComment(tag.comment) ?? '')])
    for (const { name } of statement.declarationList.declarations) {
      found.push({ constant: name.getText(file), text: oneLine(text), tags: Object.fromEntries(tags) })
    }
  }
  return found
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
