import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, readmeBlocks } from '../readme/blocks.ts'
import { DRIVERS } from '../readme/drivers.ts'
import { typeErrors } from '../readme/type-check.ts'
import { root, run } from '../run.ts'

const blocks = await readmeBlocks()

describe('the code blocks of the READMEs', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'readme-'))
    await symlink(join(root, 'scripts', 'node_modules'), join(folder, 'node_modules'), 'dir')
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "experimentalDecorators": true } }')
  })

  afterAll(() => rm(folder, { recursive: true }))

  it('compile under the strictest settings, which finds one that is wrong', () => {
    const wrong = blocksOf(
      'X.md',
      "```ts\nimport { WebSocketServer } from 'ws'\nnew WebSocketServer({ prt: 1 })\n```\n",
    )
    expect(wrong).toHaveLength(1)
    expect(typeErrors([...blocks, ...wrong])).toEqual([
      expect.stringMatching(/^X\.md 1, line 2: .*'prt' does not exist/),
    ])
  }, 300_000)

  it('have a driver where one is written for them', () => {
    expect(blocks.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(DRIVERS)))
  })

  it.each(Object.entries(DRIVERS))(
    '%s runs and is traced as it says',
    async (id, { code, env, names, expected }) => {
      const block = blocks.find((candidate) => candidate.id === id)
      const file = join(folder, `${id.replaceAll(/\W+/g, '-')}.ts`)
      await writeFile(file, `${block?.code}\n${code}`)
      const preload = ['--import', 'tsx', '--import', './readme/free-port.mjs']
      const { output } = await run(process.execPath, [...preload, file], {
        cwd: join(root, 'scripts'),
        env: { TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json'), ...env },
      })
      expect(names(output), output).toEqual([...expected].sort())
    },
    300_000,
  )
})
