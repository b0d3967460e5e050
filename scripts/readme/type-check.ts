import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../run.ts'
import type { Block } from './blocks.ts'

/** Compiles blocks as modules of this package, without writing them; returns the errors, each with its block. */
export function typeErrors(blocks: readonly Block[]): string[] {
  const folder = join(root, 'scripts')
  const config = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, folder)
  // Nest's decorators are those of before the standard.
  const options = { ...parsed.options, experimentalDecorators: true }
  const files = new Map(blocks.map((block) => [join(folder, `${block.id.replaceAll(/\W+/g, '-')}.mts`), block]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name)
  host.readFile = (name) => files.get(name)?.code ?? readFile.call(host, name)
  host.getSourceFile = (name, version, ...rest) => {
    const block = files.get(name)
    if (block === undefined) return getSourceFile.call(host, name, version, ...rest)
    const source = ts.createSourceFile(name, block.code, version)
    source.impliedNodeFormat = ts.ModuleKind.ESNext
    return source
  }
  const program = ts.createProgram([...files.keys()], options, host)
  // The sources that they import are checked as what they are: `scripts/types.ts`.
  const sources = [...files.keys()].map((name) => program.getSourceFile(name))
  const errors = [
    ...program.getOptionsDiagnostics(),
    ...sources.flatMap((source) => program.getSyntacticDiagnostics(source)),
    ...sources.flatMap((source) => program.getSemanticDiagnostics(source)),
    ...program.getGlobalDiagnostics(),
  ]
  return errors.map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ')
    if (file === undefined) return text
    const line = file.getLineAndCharacterOfPosition(start ?? 0).line + 1
    return `${files.get(file.fileName)?.id ?? file.fileName}, line ${line}: ${text}`
  })
}
