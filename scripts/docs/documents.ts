import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun, root } from '../run.ts'
import { compatibilityTable } from './compatibility.ts'
import { telemetryReference } from './telemetry.ts'

/** The generated documents: path and what makes its text. */
const DOCUMENTS: Readonly<Record<string, () => Promise<string>>> = {
  'docs/telemetry.md': telemetryReference,
  'docs/compatibility.md': compatibilityTable,
}

/** Writes every generated document. */
export async function writeDocuments(): Promise<void> {
  for (const [path, generate] of Object.entries(DOCUMENTS))
    await writeFile(join(root, path), await format(path, await generate()))
}

/** Throws for generated documents that are not what would be written now. */
export async function checkDocuments(): Promise<void> {
  for (const [path, generate] of Object.entries(DOCUMENTS)) {
    const text = await readFile(join(root, path), 'utf8').catch(() => '')
    if (text !== (await format(path, await generate())))
      throw new Error(`${path} is not up to date: run \`pnpm generate\` and commit it`)
  }
}

/** The text as the repository's formatter writes it. */
async function format(path: string, text: string): Promise<string> {
  return mustRun('pnpm', ['exec', 'biome', 'format', `--stdin-file-path=${path}`], { input: text })
}
