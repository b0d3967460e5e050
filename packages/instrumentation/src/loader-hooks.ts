import { readFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { applicationFiles } from './loaded-modules.ts'

/** The members of `import-in-the-middle` that are used. */
interface HookModule {
  createHook(meta: { url: string }): {
    applyOptions(options: HookOptions): void
    readonly resolveSync: unknown
    readonly loadSync: unknown
  }
}

interface HookOptions {
  readonly include: readonly RegExp[]
}

type RegisterHooks = (hooks: { resolve: unknown; load: unknown }) => void

/** Modules of hosts that are ES modules, or may be imported as such: what an application has if it has them, and their files. */
const HOOKED: readonly { readonly specifier: string; readonly include: RegExp }[] = [
  { specifier: 'crossws/adapters/node', include: /[\\/]crossws[\\/]dist[\\/]_chunks[\\/]node\.mjs$/ },
  { specifier: '@hono/node-ws', include: /[\\/]@hono[\\/]node-ws[\\/]dist[\\/]index\.js$/ },
  { specifier: '@hono/node-server', include: /[\\/]@hono[\\/]node-server[\\/]dist[\\/]index\.mjs$/ },
]

/** Nest 12 consists of ES modules. */
const NEST = /[\\/]@nestjs[\\/]core[\\/]scanner\.js$/

/**
 * Registers loader hooks through which `@opentelemetry/instrumentation` sees the ES modules of hosts that the
 * application has. Uses its copy of `import-in-the-middle`, and includes no other modules.
 */
export function hookModules(): void {
  const include = modulesToHook()
  if (include.length === 0) return
  const instrumentation = createRequire(import.meta.url).resolve('@opentelemetry/instrumentation')
  const load = createRequire(instrumentation)
  const { supportsSyncHooks } = load('import-in-the-middle/supports-sync-hooks.mjs') as {
    supportsSyncHooks(): boolean
  }
  const options: HookOptions = { include }
  if (supportsSyncHooks()) {
    const { createHook } = load('import-in-the-middle/create-hook.mjs') as HookModule
    const hook = createHook({ url: pathToFileURL(load.resolve('import-in-the-middle/register-hooks.mjs')).href })
    hook.applyOptions(options)
    const { registerHooks } = load('node:module') as { registerHooks: RegisterHooks }
    registerHooks({ resolve: hook.resolveSync, load: hook.loadSync })
  } else if (isMainThread) {
    // Hooks of the main thread run in their own thread, for all threads; --require modules are loaded there too.
    register('import-in-the-middle/hook.mjs', pathToFileURL(instrumentation), { data: options })
  }
}

/** The files to hook, by what the application has. */
function modulesToHook(): RegExp[] {
  const hooked = HOOKED.filter(({ specifier }) => isInstalled(specifier)).map(({ include }) => include)
  return hasNestOfEsModules() ? [...hooked, NEST] : hooked
}

function isInstalled(specifier: string): boolean {
  return applicationFiles().some((from) => {
    try {
      return createRequire(from).resolve(specifier) !== ''
    } catch {
      return false
    }
  })
}

/** Returns true if the application's Nest consists of ES modules. */
function hasNestOfEsModules(): boolean {
  for (const from of applicationFiles()) {
    try {
      const manifest = createRequire(from).resolve('@nestjs/core/package.json')
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module'
    } catch {}
  }
  return false
}
