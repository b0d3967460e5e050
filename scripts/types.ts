// Type checks every project of the repository: `pnpm typecheck`. Prints the errors as `tsc` does, and ends with 1 if there are any.
import { relative } from 'node:path'
import ts from 'typescript'
import { root } from './run.ts'

/** A `tsconfig.json` of this repository. */
interface Project {
  readonly path: string
  readonly config: ts.ParsedCommandLine
}

/** Parsed sources, by what they were parsed as. */
type Sources = Map<string, ts.SourceFile | undefined>

/** Folders that hold no source of ours, and the projects of users that `packages` compiles against what is published. */
const ELSEWHERE = ['**/node_modules', '**/dist', 'scripts/packages/consumers']

/**
 * Errors of all projects, each checked with its own options.
 *
 * Packages import each other's source, which `tsc` checks again in every project that it comes to. Here each file is
 * checked once, in the project that includes it, and parsed once.
 */
function typeErrors(): readonly ts.Diagnostic[] {
  const projects = findProjects()
  const owners = new Map(projects.flatMap((project) => project.config.fileNames.map((name) => [name, project])))
  const system = cached(ts.sys)
  const sources: Sources = new Map()
  return projects.flatMap((project) => {
    const isOwn = ({ fileName }: ts.SourceFile): boolean => (owners.get(fileName) ?? project) === project
    return projectErrors(project.config, hostOf(project.config.options, system, sources), isOwn)
  })
}

function findProjects(): Project[] {
  return ts.sys.readDirectory(root, ['.json'], ELSEWHERE, ['**/tsconfig.json']).map((path) => {
    const config = ts.getParsedCommandLineOfConfigFile(path, undefined, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic({ messageText }) {
        throw new Error(`${relative(root, path)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
      },
    })
    if (config === undefined) throw new Error(`${relative(root, path)} cannot be read`)
    return { path, config }
  })
}

function projectErrors(
  { fileNames, options, errors }: ts.ParsedCommandLine,
  host: ts.CompilerHost,
  isOwn: (file: ts.SourceFile) => boolean,
): readonly ts.Diagnostic[] {
  const program = ts.createProgram({ rootNames: fileNames, options, host, configFileParsingDiagnostics: errors })
  const own = program
    .getSourceFiles()
    .filter((file) => !program.isSourceFileFromExternalLibrary(file) && !program.isSourceFileDefaultLibrary(file))
    .filter(isOwn)
  return [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...own.flatMap((file) => program.getSyntacticDiagnostics(file)),
    ...own.flatMap((file) => program.getSemanticDiagnostics(file)),
    ...program.getGlobalDiagnostics(),
  ]
}

/** A host that takes a source from the projects before this one, where it was read in the same way. */
function hostOf(options: ts.CompilerOptions, system: ts.System, sources: Sources): ts.CompilerHost {
  const host = ts.createIncrementalCompilerHost(options, system)
  const { getSourceFile } = host
  const { module, moduleDetection, jsx, jsxImportSource } = options
  host.getSourceFile = (name, how, ...rest) => {
    const key = JSON.stringify([name, how, module, moduleDetection, jsx, jsxImportSource])
    if (!sources.has(key)) sources.set(key, getSourceFile.call(host, name, how, ...rest))
    return sources.get(key)
  }
  return host
}

/** The file system, asked for everything once: nothing changes meanwhile. */
function cached(system: ts.System): ts.System {
  const once = <R>(ask: (path: string) => R): ((path: string) => R) => {
    const answers = new Map<string, R>()
    return (path) => {
      if (!answers.has(path)) answers.set(path, ask(path))
      return answers.get(path) as R
    }
  }
  return {
    ...system,
    fileExists: once(system.fileExists),
    directoryExists: once(system.directoryExists),
    getDirectories: once(system.getDirectories),
    ...(system.realpath && { realpath: once(system.realpath) }),
  }
}

const errors = ts.sortAndDeduplicateDiagnostics(typeErrors())
process.stdout.write(
  ts.formatDiagnostics(errors, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  }),
)
process.exitCode = errors.length === 0 ? 0 : 1
