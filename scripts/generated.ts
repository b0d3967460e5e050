import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { apiReports } from './api/reports.ts'
import { dashboardFiles } from './dashboards/files.ts'
import { documents } from './docs/documents.ts'
import { sizesDocument } from './packages/check.ts'
import { root } from './run.ts'

/** Files that are generated and committed: their texts by path, and the folder that holds nothing else, if there is one. */
interface Group {
  readonly generate: () => Promise<Readonly<Record<string, string>>>
  readonly folder?: string
  /** True for what is read from packages that have been built. */
  readonly needsBuild: boolean
}

/** Everything that `pnpm generate` writes. */
export const groups = {
  documents: { generate: documents, needsBuild: false },
  dashboards: { generate: dashboardFiles, needsBuild: false },
  api: { generate: apiReports, folder: 'docs/api', needsBuild: true },
  sizes: { generate: sizesDocument, needsBuild: true },
} satisfies Readonly<Record<string, Group>>

export type GroupName = keyof typeof groups

const MOST_LINES = 20

/** Writes the files of a group, and deletes those that it has no more. */
export async function write(name: GroupName): Promise<void> {
  const { generate, folder }: Group = groups[name]
  const files = await generate()
  for (const path of await surplus(folder, files)) await rm(join(root, path))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

/** Throws for files of a group that are not what would be written now. */
export async function check(name: GroupName): Promise<undefined> {
  const { generate, folder }: Group = groups[name]
  const files = await generate()
  const problems = (await surplus(folder, files)).map((path) => `${path} is not generated any more`)
  for (const [path, text] of Object.entries(files)) {
    const written = await readFile(join(root, path), 'utf8').catch(() => '')
    if (written !== text) problems.push(`${path} is not up to date:\n${difference(written, text)}`)
  }
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\nRun \`pnpm generate\` and commit what it changes.`)
}

/** Files in a group's folder that it does not generate. */
async function surplus(folder: string | undefined, files: Readonly<Record<string, string>>): Promise<string[]> {
  if (folder === undefined) return []
  const entries = await readdir(join(root, folder)).catch(() => [])
  return entries.map((entry) => `${folder}/${entry}`).filter((path) => !Object.hasOwn(files, path))
}

/** Lines that one of two texts has and the other has not, such as a reader of a diff sees them. */
function difference(before: string, after: string): string {
  const old = before.split('\n')
  const now = after.split('\n')
  const lines = [
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ]
  const rest = lines.length - MOST_LINES
  return [...lines.slice(0, MOST_LINES), ...(rest > 0 ? [`… ${rest} lines more`] : [])].join('\n')
}
