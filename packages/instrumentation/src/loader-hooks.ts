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

/** The only files that need a loader hook: Nest 12 and crossws consist of ES modules. */
const INCLUDE = [/[\\/]@nestjs[\\/]core[\\/]scanner\.js$/, /[\\/]crossws[\\/]dist[\\/]_chunks[\\/]node\.mjs$/]

/**
 * Registers loader hooks through which `@opentelemetry/instrumentation` sees the ES modules of Nest and crossws, if the
 * application has them. Uses its copy of `import-in-the-middle`, and includes no other modules.
 */
export function hookModules(): void {
  if (!hasModulesToHook()) return
  const instrumentation = createRequire(import.meta.url).resolve('@opentelemetry/instrumentation')
  const load = createRequire(instrumentation)
  const { supportsSyncHooks } = load('import-in-the-middle/supports-sync-hooks.mjs') as {
    supportsSyncHooks(): boolean
  }
  const options: HookOptions = { include: INCLUDE }
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

/** Returns true if the application has crossws, or a Nest that consists of ES modules. */
function hasModulesToHook(): boolean {
  return hasCrossws() || hasNestOfEsModules()
}

function hasCrossws(): boolean {
  return applicationFiles().some((from) => {
    try {
      return createRequire(from).resolve('crossws/adapters/node') !== ''
    } catch {
      return false
    }
  })
}

function hasNestOfEsModules(): boolean {
  for (const from of applicationFiles()) {
    try {
      const manifest = createRequire(from).resolve('@nestjs/core/package.json')
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module'
    } catch {}
  }
  return false
}
