import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findViolations } from '../boundaries/check.ts'

/** A repository in small that keeps every rule. */
const SOUND: Readonly<Record<string, string>> = {
  'packages/core/package.json':
    '{ "name": "@otel-ws/core", "exports": { ".": "./src/index.ts", "./adapter": "./src/adapter.ts" } }',
  'packages/core/src/index.ts': "export { one } from './one.ts'\n",
  'packages/core/src/adapter.ts': "export { one } from './one.ts'\n",
  'packages/core/src/one.ts': 'export const one = 1\n',
  'packages/ws/package.json':
    '{ "name": "@otel-ws/ws", "peerDependencies": { "ws": "^8.0.0" }, "devDependencies": { "tool": "1.0.0", "ws": "8.0.0" } }',
  'packages/ws/src/index.ts': "import { one } from '@otel-ws/core/adapter'\nexport const two = one + one\n",
  'packages/ws/src/adapter.ts': "import type { WebSocket } from 'ws'\nexport type Socket = WebSocket\n",
  'packages/ws/src/inner.ts': 'export const inner = 1\n',
  'packages/fastify/src/index.ts': "export { two } from '../../ws/src/index.ts'\n",
  'packages/testkit/src/index.ts': 'export const kit = 1\n',
  'packages/testkit/src/suites.ts': 'export const suite = 1\n',
  'apps/viewer/src/index.ts': 'export const viewer = 1\n',
  'apps/chat/src/main.ts': "import '../../viewer/src/index.ts'\nimport '../../../packages/fastify/src/index.ts'\n",
  'bench/run.ts': "import '../packages/ws/src/index.ts'\n",
  'node_modules/tool/package.json': '{ "name": "tool", "main": "index.js" }',
  'node_modules/tool/index.js': 'exports.tool = 1\n',
  'node_modules/other/package.json': '{ "name": "other", "main": "index.js" }',
  'node_modules/other/index.js': 'exports.other = 1\n',
  'node_modules/ws/package.json': '{ "name": "ws", "main": "index.js" }',
  'node_modules/ws/index.js': 'exports.WebSocket = class {}\n',
}

/** Files that break a rule: what is planted, the rule that must find it, and what it must say was imported. */
const PLANTED: readonly (readonly [rule: string, file: string, source: string, imported: string])[] = [
  ['core-imports-the-api-only', 'packages/core/src/two.ts', "import 'node:fs'\n", 'fs'],
  ['core-imports-the-api-only', 'packages/core/src/two.ts', "import 'ws'\n", 'node_modules/ws/index.js'],
  ['arrows-of-core', 'packages/core/src/two.ts', "import '../../ws/src/index.ts'\n", 'packages/ws/src/index.ts'],
  ['arrows-of-ws', 'packages/ws/src/two.ts', "import '../../fastify/src/index.ts'\n", 'packages/fastify/src/index.ts'],
  [
    'known-packages-only',
    'packages/new/src/index.ts',
    "import '../../core/src/index.ts'\n",
    'packages/core/src/index.ts',
  ],
  [
    'testkit-knows-no-package',
    'packages/testkit/test/a.test.ts',
    "import '@otel-ws/core'\n",
    'packages/core/src/index.ts',
  ],
  [
    'tools-know-no-suite',
    'packages/testkit/src/testing/client.ts',
    "import '../suites.ts'\n",
    'packages/testkit/src/suites.ts',
  ],
  [
    'suites-of-any-host',
    'packages/testkit/src/sockets/connection/send.ts',
    "import { WebSocket } from 'ws'\nexport type Socket = WebSocket\n",
    'node_modules/ws/index.js',
  ],
  [
    'testkit-in-tests-only',
    'packages/ws/src/two.ts',
    "import '../../testkit/src/index.ts'\n",
    'packages/testkit/src/index.ts',
  ],
  ['through-the-doors', 'packages/fastify/src/two.ts', "import '../../ws/src/inner.ts'\n", 'packages/ws/src/inner.ts'],
  [
    'through-the-doors',
    'apps/chat/src/two.ts',
    "import '../../../packages/core/src/one.ts'\n",
    'packages/core/src/one.ts',
  ],
  [
    'through-the-doors-from-outside',
    'bench/two.ts',
    "import '../packages/ws/src/inner.ts'\n",
    'packages/ws/src/inner.ts',
  ],
  [
    'nothing-imports-apps',
    'packages/ws/test/a.test.ts',
    "import '../../../apps/viewer/src/index.ts'\n",
    'apps/viewer/src/index.ts',
  ],
  ['apps-share-by-intent', 'apps/viewer/src/two.ts', "import '../../chat/src/main.ts'\n", 'apps/chat/src/main.ts'],
  [
    'nothing-imports-bench-or-scripts',
    'packages/ws/test/a.test.ts',
    "import '../../../bench/run.ts'\n",
    'bench/run.ts',
  ],
  [
    'host-types-only',
    'packages/ws/src/two.ts',
    "import { WebSocket } from 'ws'\nnew WebSocket('')\n",
    'node_modules/ws/index.js',
  ],
  [
    'no-development-dependency-in-source',
    'packages/ws/src/two.ts',
    "import { tool } from 'tool'\nexport const two = tool\n",
    'node_modules/tool/index.js',
  ],
  [
    'declared-dependencies-only',
    'packages/ws/src/two.ts',
    "import { other } from 'other'\nexport const two = other\n",
    'node_modules/other/index.js',
  ],
  ['nothing-unresolved', 'packages/ws/src/two.ts', "import './gone.ts'\n", './gone.ts'],
  [
    'no-cycles',
    'packages/ws/src/three.ts',
    "import { three } from './two.ts'\nexport const two = three\n",
    'packages/ws/src/two.ts',
  ],
]

describe('the boundary rules', () => {
  let root: string

  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [file, source] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true })
      await writeFile(join(root, file), source)
    }
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'boundaries-'))
    await write(SOUND)
    await mkdir(join(root, 'node_modules/@otel-ws'))
    await symlink(join(root, 'packages/core'), join(root, 'node_modules/@otel-ws/core'), 'dir')
  })

  afterEach(() => rm(root, { recursive: true }))

  it('let sound imports pass', async () => {
    expect(await findViolations(root)).toEqual([])
  })

  it.each(PLANTED)('find %s in %s', async (rule, file, source, imported) => {
    const partner = { 'packages/ws/src/two.ts': "import { two } from './three.ts'\nexport const three = two\n" }
    await write({ [file]: source, ...(rule === 'no-cycles' && partner) })
    expect(await findViolations(root)).toContainEqual({ rule, from: file, to: imported })
  })

  it('refuse a folder without sources', async () => {
    await rm(root, { recursive: true })
    await mkdir(join(root, 'packages'), { recursive: true })
    await expect(findViolations(root)).rejects.toThrow('no source file below')
  })
})
