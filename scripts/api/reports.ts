import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type IConfigFile,
} from '@microsoft/api-extractor'
import { type Published, publishedPackages } from '../packages/tarballs.ts'

/** The declarations of one door of a package. */
interface Door {
  /** Name of the report, without its ending. */
  readonly name: string
  readonly declarations: string
}

/**
 * The API report of every public door, by path: what it exports, with all types. From declarations that have been built.
 * A door that only has effects, such as `./register`, has no report.
 */
export async function apiReports(): Promise<Record<string, string>> {
  const reports: Record<string, string> = {}
  for (const published of await publishedPackages(['packages', 'apps'])) {
    for (const [name, text] of await reportsOf(published)) reports[`docs/api/${name}.api.md`] = text
  }
  return reports
}

async function reportsOf(published: Published): Promise<[name: string, text: string][]> {
  const folder = await mkdtemp(join(tmpdir(), 'api-'))
  try {
    const doors = await doorsOf(published)
    const configs = doors.map((door) => ExtractorConfig.prepare(preparation(published, door, folder)))
    const [first] = configs
    if (first === undefined) return []
    const additionalEntryPoints = doors.map(({ declarations }) => declarations)
    const compilerState = CompilerState.create(first, { additionalEntryPoints })
    const reports: [string, string][] = []
    for (const [i, config] of configs.entries()) {
      const problems: string[] = []
      const { succeeded } = Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback(message) {
          if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text)
          message.handled = true
        },
      })
      if (!succeeded) throw new Error(`${doors[i]!.declarations}: ${problems.join('\n')}`)
      reports.push([doors[i]!.name, await readFile(config.reportFilePath, 'utf8')])
    }
    return reports
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The doors of a package that export something. Their declarations are those of the ES modules. */
async function doorsOf({ name, folder }: Published): Promise<Door[]> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    publishConfig: { exports: Record<string, unknown> }
  }
  const doors: Door[] = []
  for (const path of new Set(declarationsIn(manifest.publishConfig.exports))) {
    const declarations = join(folder, path)
    if (/\bexport\b(?! *\{ *\})/.test(await readFile(declarations, 'utf8'))) {
      const door = basename(path, '.d.ts')
      const packageName = name.replace('@otel-ws/', '')
      doors.push({ declarations, name: door === 'index' ? packageName : `${packageName}.${door}` })
    }
  }
  return doors
}

function declarationsIn(exports: unknown): string[] {
  if (typeof exports === 'string') return exports.endsWith('.d.ts') ? [exports] : []
  return typeof exports === 'object' && exports !== null ? Object.values(exports).flatMap(declarationsIn) : []
}

function preparation({ folder }: Published, { name, declarations }: Door, to: string) {
  const configObject: IConfigFile = {
    projectFolder: folder,
    mainEntryPointFilePath: declarations,
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'DOM'],
          types: ['node'],
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          strict: true,
          skipLibCheck: true,
          // Types of other packages of this repository come from their source.
          noEmit: true,
          allowImportingTsExtensions: true,
        },
        files: [declarations],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: `${name}.api.md`,
      reportFolder: to,
      reportTempFolder: join(to, 'temporary'),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
    },
  }
  return { configObject, configObjectFullPath: undefined, packageJsonFullPath: join(folder, 'package.json') }
}
