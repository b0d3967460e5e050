import { defineConfig, type UserConfig } from 'tsdown'

/** Every published package is built alike: ESM and CJS, each with its own declarations. */
export function packageBuild(entry: Record<string, string> = { index: 'src/index.ts', adapter: 'src/adapter.ts' }): UserConfig {
  return defineConfig({
    entry,
    format: ['esm', 'cjs'],
    dts: true,
    target: 'node20.19',
    platform: 'neutral',
    fixedExtension: false,
    treeshake: true,
  }) as UserConfig
}
