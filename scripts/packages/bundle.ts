import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import type { Published } from './tarballs.ts'

/** Settings of a bundle. */
export interface BundleOptions {
  readonly platform: 'browser' | 'node'
  /** True leaves the package's dependencies out, as imports; `api` leaves the OpenTelemetry API out and nothing else. */
  readonly alone: boolean | 'api'
  /** The names that are imported from each door. Default: everything. */
  readonly imports?: readonly string[]
}

/**
 * Bundles all doors of an installed package, minified, as one script that puts their exports, or those that are imported,
 * on `globalThis.doors`. Throws for an import that cannot be resolved.
 *
 * @param project folder that the package is installed in
 */
export async function bundle(project: string, { name, doors }: Published, options: BundleOptions): Promise<string> {
  const paths = doors.map((door) => name + door.slice(1))
  const imports = paths.map((path, index) => importOf(path, index, options.imports))
  const entry = join(project, `bundle-${options.platform}-${name.replace(/\W/g, '-')}.mjs`)
  await writeFile(entry, `${imports.join('')}globalThis.doors = [${paths.map((_, index) => `door${index}`).join()}]\n`)
  const bundler = await rolldown({
    input: entry,
    cwd: project,
    platform: options.platform,
    logLevel: 'warn',
    onLog(_level, log) {
      throw new Error(`the bundle of ${name}: ${log.message}`)
    },
    ...(options.alone === 'api' && { external: '@opentelemetry/api' }),
    ...(options.alone === true && {
      external: (id: string) => !id.startsWith('.') && !id.startsWith('/') && !paths.includes(id) && id !== entry,
    }),
  })
  const { output } = await bundler.generate({ format: 'esm', minify: true })
  await bundler.close()
  if (output.length !== 1) throw new Error(`the bundle of ${name} has ${output.length} files instead of one`)
  return output[0].code
}

function importOf(path: string, index: number, names: readonly string[] | undefined): string {
  if (names === undefined) return `import * as door${index} from '${path}'\n`
  return `import { ${names.join(', ')} } from '${path}'\nconst door${index} = { ${names.join(', ')} }\n`
}
