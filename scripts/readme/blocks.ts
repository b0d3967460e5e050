import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publishedPackages } from '../packages/tarballs.ts'
import { root } from '../run.ts'

/** A TypeScript code block of a README. */
export interface Block {
  /** File and position, such as `packages/ws/README.md 2`: unique, and stable while no block is added before it. */
  readonly id: string
  readonly code: string
}

/** The TypeScript blocks of a Markdown text, in order. */
export function blocksOf(path: string, markdown: string): Block[] {
  const found = markdown.matchAll(/^```ts\n(.*?)^```$/gms)
  return [...found].map((match, index) => ({ id: `${path} ${index + 1}`, code: match[1] ?? '' }))
}

/** Documents whose blocks are compiled and run like those of READMEs. */
const DOCUMENTS = ['docs/writing-an-adapter.md', 'docs/testing.md']

/** The TypeScript blocks of the root's README and of those of the published packages. */
export async function readmeBlocks(): Promise<Block[]> {
  const packages = await publishedPackages(['packages'])
  const folders = [root, ...packages.map(({ folder }) => folder)]
  const blocks: Block[] = []
  for (const folder of folders) {
    if (!(await readdir(folder)).includes('README.md')) continue
    const file = join(folder, 'README.md')
    const path = file.slice(root.length + 1).replaceAll('\\', '/')
    blocks.push(...blocksOf(path, await readFile(file, 'utf8')))
  }
  for (const path of DOCUMENTS) blocks.push(...blocksOf(path, await readFile(join(root, path), 'utf8')))
  return blocks
}
