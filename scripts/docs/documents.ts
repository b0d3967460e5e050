import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binary, mustRun, root } from '../run.ts'
import { compatibilityTable } from './compatibility.ts'
import { telemetryReference } from './telemetry.ts'
import { versionSources } from './versions.ts'

/** The text of every generated document and source file, by path. */
async function documents(): Promise<Record<string, string>> {
  return {
    'docs/telemetry.md': await telemetryReference(),
    'docs/compatibility.md': await compatibilityTable(),
    ...(await versionSources()),
  }
}

/** Writes every generated document. */
export async function writeDocuments(): Promise<void> {
  for (const [path, text] of Object.entries(await documents()))
    await writeFile(join(root, path), await format(path, text))
}

/** Throws for generated documents that are not what would be written now. */
export async function checkDocuments(): Promise<void> {
  for (const [path, text] of Object.entries(await documents())) {
    const written = await readFile(join(root, path), 'utf8').catch(() => '')
    if (written !== (await format(path, text)))
      throw new Error(`${path} is not up to date: run \`pnpm generate\` and commit it`)
  }
}

/** The text as the repository's formatter writes it. */
async function format(path: string, text: string): Promise<string> {
  return mustRun(process.execPath, [binary('@biomejs/biome', 'biome'), 'format', `--stdin-file-path=${path}`], {
    input: text,
  })
}
