import { defineConfig, type UserConfig } from 'tsdown'

/** What differs between published packages. */
interface PackageBuild {
  /** Doors of the package: output name to source file. */
  readonly doors: Record<string, string>
  /** `neutral` for what runs in browsers as well: an import of a `node:` module is then an error. */
  readonly platform: 'neutral' | 'node'
}

/** Builds a published package as ESM and CJS, each with its own declarations; dependencies stay imports. */
export function packageBuild({ doors, platform }: PackageBuild): UserConfig {
  return defineConfig({
    entry: doors,
    format: ['esm', 'cjs'],
    dts: true,
    target: 'node20.19',
    platform,
    fixedExtension: false,
    treeshake: true,
    // Some bundlers inline no constants of other modules: a page would carry a binding for each name in the schema.
    inputOptions: { optimization: { inlineConst: { mode: 'all', pass: 2 } } },
    logLevel: 'warn',
    failOnWarn: platform === 'neutral',
    checks: { legacyCjs: false },
  }) as UserConfig
}
