import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import getReleasePlan from '@changesets/get-release-plan'
import { binary, mustRun } from '../run.ts'
import { type Change, withSection } from './changelog.ts'

type ReleasePlan = Awaited<ReturnType<typeof getReleasePlan>>

/**
 * Gives all packages of a checkout the next version, writes its section of `CHANGELOG.md`, and deletes the changesets.
 * Resolves to what it did, in words. Without changesets nothing changes.
 */
export async function applyChangesets(folder: string): Promise<string> {
  const plan = await getReleasePlan(folder)
  const [first] = plan.releases
  if (plan.changesets.length === 0 || first === undefined) return 'no changesets: the version stays'
  const file = join(folder, 'CHANGELOG.md')
  const changelog = await readFile(file, 'utf8')
  await mustRun(process.execPath, [binary('@changesets/cli', 'changeset'), 'version'], { cwd: folder })
  await writeFile(file, withSection(changelog, first.newVersion, changesOf(plan)))
  return `version ${first.newVersion}, from ${plan.changesets.length} changesets`
}

function changesOf({ changesets }: ReleasePlan): Change[] {
  return changesets.map(({ summary, releases }) => ({
    summary,
    packages: releases.map(({ name }) => name.replace(/^@otel-ws\//, '')),
    type: strongest(releases.map(({ type }) => type)),
  }))
}

function strongest(types: readonly Change['type'][]): Change['type'] {
  const order = ['major', 'minor', 'patch', 'none'] as const
  return order.find((type) => types.includes(type)) ?? 'none'
}
