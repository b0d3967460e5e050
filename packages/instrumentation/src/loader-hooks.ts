import { readFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { applicationFiles } from './loaded-modules.ts'

/** The part of `import-in-the-middle` that is used. */
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

/** The one file of a host that no other way leads to: Nest 12 consists of ES modules. */
const INCLUDE = [/[\\/]@nestjs[\\/]core[\\/]scanner\.js$/]

/**
 * Has `@opentelemetry/instrumentation` see the ES modules that are traced, in applications that have such a host. The
 * copy of `import-in-the-middle` is the one that it listens to; modules of others are not touched.
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
    // One thread of hooks serves all threads, and runs what --require loads itself.
    register('import-in-the-middle/hook.mjs', pathToFileURL(instrumentation), { data: options })
  }
}

/** True when the application's Nest consists of ES modules. */
function hasModulesToHook(): boolean {
  for (const from of applicationFiles()) {
    try {
      const manifest = createRequire(from).resolve('@nestjs/core/package.json')
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module'
    } catch {}
  }
  return false
}
