import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { root, run } from '../run.ts'

const CODE_BLOCK = /^ *```.*?^ *```/gms
const LINK = /\]\(([^)\s]+)\)/g
const HEADING = /^#+ (.+)$/gm

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.replaceAll(CODE_BLOCK, '').matchAll(HEADING)]
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** The links of a document to files and headings of the repository that do not exist. */
async function brokenLinks(path: string, markdown: string): Promise<string[]> {
  const broken: string[] = []
  for (const [, link = ''] of markdown.replaceAll(CODE_BLOCK, '').matchAll(LINK)) {
    if (/^[a-z]+:/.test(link)) continue
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), decodeURIComponent(file))
    const isThere =
      existsSync(join(root, target)) &&
      (anchor === undefined || anchorsOf(await readFile(join(root, target), 'utf8')).includes(anchor))
    if (!isThere) broken.push(`${path}: ${link}`)
  }
  return broken
}

it('every link of a document leads to a file and a heading that exist', async () => {
  const { output } = await run('git', ['ls-files', '--cached', '*.md'], { cwd: root })
  const paths = output.trim().split('\n')
  expect(paths).toContain('docs/guarantees.md')
  const broken = await Promise.all(
    paths.map(async (path) => brokenLinks(path, await readFile(join(root, path), 'utf8'))),
  )
  expect(broken.flat()).toEqual([])
})

it('finds a file and a heading that do not exist', async () => {
  const text = '[a](docs/none.md) [b](README.md#nothing) [c](README.md#three-promises) [d](https://example.com)'
  expect(await brokenLinks('X.md', text)).toEqual(['X.md: docs/none.md', 'X.md: README.md#nothing'])
})
