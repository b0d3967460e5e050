import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { publishedPackages } from '../packages/tarballs.ts'
import { sectionOf, withSection } from '../release/changelog.ts'
import { fileProblems, manifestProblems } from '../release/tarball-problems.ts'
import { applyChangesets } from '../release/version.ts'
import { root } from '../run.ts'

describe('a release', () => {
  let folder: string

  /** A checkout with this repository's settings, and packages of the same names at version 0.1.0. */
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'release-test-'))
    const write = (path: string, content: unknown) =>
      writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
    await cp(join(root, '.changeset'), join(folder, '.changeset'), { recursive: true })
    for (const file of await readdir(join(folder, '.changeset')))
      if (/^(?!README).*\.md$/.test(file)) await rm(join(folder, '.changeset', file))
    await write('package.json', { name: 'root', private: true })
    await write('pnpm-workspace.yaml', 'packages: ["packages/*"]')
    await write('pnpm-lock.yaml', '')
    await write('CHANGELOG.md', '# Changelog\n\nIntroduction.\n\n## 0.1.0\n\nThe first one.\n')
    for (const { name } of await publishedPackages(['packages', 'apps'])) {
      const path = `packages/${name.replace('@otel-ws/', '')}`
      await mkdir(join(folder, path), { recursive: true })
      const dependencies = name === '@otel-ws/core' ? {} : { '@otel-ws/core': 'workspace:*' }
      await write(`${path}/package.json`, { name, version: '0.1.0', dependencies })
    }
    const git = (...args: string[]) => execFileSync('git', args, { cwd: folder })
    git('init', '--quiet', '--initial-branch=main')
    git('add', '-A')
    git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message=first')
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  const changeset = (name: string, text: string) => writeFile(join(folder, '.changeset', `${name}.md`), text)
  const changelog = () => readFile(join(folder, 'CHANGELOG.md'), 'utf8')

  it('gives all packages the same version, and makes one section of all changesets', async () => {
    await changeset('one', '---\n"@otel-ws/ws": patch\n---\n\nCloses are timed again.\n')
    await changeset('two', '---\n"@otel-ws/core": minor\n"@otel-ws/nestjs": patch\n---\n\nSomething new:\n\n- more\n')
    expect(await applyChangesets(folder)).toBe('version 0.2.0, from 2 changesets')

    const versions = new Set<string>()
    for (const name of await readdir(join(folder, 'packages')))
      versions.add(JSON.parse(await readFile(join(folder, 'packages', name, 'package.json'), 'utf8')).version)
    expect(versions).toEqual(new Set(['0.2.0']))
    expect(await readdir(join(folder, '.changeset'))).toEqual(['README.md', 'config.json'])
    expect(await changelog()).toBe(`# Changelog

Introduction.

## 0.2.0

### New

- **core, nestjs**: Something new:

  - more

### Fixed

- **ws**: Closes are timed again.

## 0.1.0

The first one.
`)
  })

  it('changes nothing without changesets', async () => {
    expect(await applyChangesets(folder)).toBe('no changesets: the version stays')
    expect(sectionOf(await changelog(), '0.1.0')).toBe('The first one.')
  })
})

describe('the changelog', () => {
  it('has a section of each version', () => {
    const text = withSection('# Changelog\n', '1.0.0', [{ summary: 'a', packages: ['ws'], type: 'major' }])
    expect(text).toBe('# Changelog\n\n## 1.0.0\n\n### Breaking\n\n- **ws**: a\n')
    expect(sectionOf(text, '1.0.0')).toBe('### Breaking\n\n- **ws**: a')
    expect(sectionOf(text, '1.0')).toBeUndefined()
  })
})

describe('a packed package', () => {
  const manifest = {
    version: '1.0.0',
    license: 'Apache-2.0',
    repository: { url: 'git+https://github.com/otel-ws/otel-ws.git' },
    engines: { node: '>=20.19' },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    dependencies: { '@otel-ws/core': '1.0.0' },
  }
  const files = [
    'package.json',
    'README.md',
    'LICENSE',
    'docs/options.md',
    'docs/telemetry.md',
    'dist/index.js',
    'dist/index.d.ts',
  ]

  it('is published when nothing is wrong with it', () => {
    expect(manifestProblems(manifest, '1.0.0')).toEqual([])
    expect(fileProblems(manifest, files)).toEqual([])
  })

  it('is not when its manifest was not made for publishing', () => {
    const wrong = {
      ...manifest,
      private: true,
      repository: { url: 'git+https://github.com/someone/else.git' },
      dependencies: { '@otel-ws/core': 'workspace:*', '@otel-ws/ws': '^0.9.0', ws: 'catalog:' },
    }
    expect(manifestProblems(wrong, '1.0.1')).toEqual([
      'has version 1.0.0 instead of 1.0.1',
      'is private',
      'names the repository git+https://github.com/someone/else.git',
      'depends on @otel-ws/core workspace:*, which npm cannot resolve',
      'depends on @otel-ws/ws ^0.9.0 instead of 1.0.1',
      'depends on ws catalog:, which npm cannot resolve',
    ])
  })

  it('is not when a file is missing, or one is there that no user needs', () => {
    const wrong = ['package.json', 'README.md', 'dist/index.js', 'dist/test/a.js', 'dist/a.ts', 'notes.md']
    expect(fileProblems(manifest, wrong)).toEqual([
      'has no LICENSE',
      'has no docs/options.md',
      'has no docs/telemetry.md',
      'has no dist/index.d.ts',
      'publishes notes.md',
      'publishes dist/test/a.js',
      'publishes dist/a.ts',
    ])
  })
})
