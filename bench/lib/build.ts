import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where the built servers and the load generator are. Emptied by each build. */
export const outDir: string = join(root, 'dist', 'servers')

/** Where profiles are kept. */
export const profileDir: string = join(root, 'dist', 'profiles')

/** Bundles the load generator and these servers as plain JavaScript: this workspace's packages inlined, others imported. */
export async function buildServers(ids: readonly string[]): Promise<void> {
  await build({
    config: false,
    cwd: root,
    entry: { load: 'load/main.ts', ...Object.fromEntries(ids.map((id) => [id, `servers/${id}.ts`])) },
    outDir,
    format: 'esm',
    fixedExtension: false,
    platform: 'node',
    target: 'node20.19',
    dts: false,
    logLevel: 'warn',
    deps: { alwaysBundle: [/^@otel-ws\//], onlyBundle: false },
  })
}
