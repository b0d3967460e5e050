import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Published, pack, publishedPackages, type Tarball } from '../packages/tarballs.ts'
import { mustRun, root, run } from '../run.ts'
import { sectionOf } from './changelog.ts'
import { tarballProblems } from './tarball-problems.ts'

/** The first npm that publishes without a token, from a workflow that npm trusts. */
const NPM = 'npm@11'

/**
 * Publishes the packages as they are in this checkout, built: packs them, checks what would be published, and hands it to
 * npm, with provenance. A version that npm has already is left out, so that a release that was cut off can be started again.
 * A dry run ends before the upload, and does without the provenance, which only a workflow can have. Throws with everything
 * that is wrong before anything is published.
 *
 * @param report called with a line for each package
 */
export async function publish(isDryRun: boolean, report: (line: string) => void): Promise<void> {
  const packages = inOrder(await publishedPackages(['packages', 'apps']))
  const version = commonVersion(packages)
  await sectionFor(version)
  const folder = await mkdtemp(join(tmpdir(), 'release-'))
  try {
    const tarballs = await pack(packages, folder)
    const problems = (await Promise.all(tarballs.map(tarballProblems))).flat()
    if (problems.length > 0) throw new Error(problems.join('\n'))
    for (const tarball of tarballs) report(`${tarball.name} ${version}: ${await publishTarball(tarball, isDryRun)}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The changelog's section of the version of this checkout. */
export async function notes(): Promise<string> {
  return sectionFor(commonVersion(await publishedPackages(['packages', 'apps'])))
}

async function sectionFor(version: string): Promise<string> {
  const section = sectionOf(await readFile(join(root, 'CHANGELOG.md'), 'utf8'), version)
  if (section === undefined) throw new Error(`CHANGELOG.md has no section ${version}`)
  return section
}

async function publishTarball({ name, version, file }: Tarball, isDryRun: boolean): Promise<string> {
  const publishing = ['publish', file, '--access', 'public']
  if (isDryRun) {
    await mustRun('npm', [...publishing, '--dry-run'])
    return 'would be published'
  }
  const { output } = await run('npm', ['view', `${name}@${version}`, 'version'])
  if (output.trim() === version) return 'is published already'
  await mustRun('npx', ['-y', NPM, ...publishing, '--provenance'])
  return 'published'
}

/** The version that all packages have. Throws when they differ. */
function commonVersion(packages: readonly Published[]): string {
  const versions = new Set(packages.map(({ version }) => version))
  const [version] = versions
  if (version !== undefined && versions.size === 1) return version
  throw new Error(
    `packages of one release have one version: ${packages.map((one) => `${one.name} ${one.version}`).join(', ')}`,
  )
}

/** Each package after those that it depends on, so that a version on npm can be installed at any time. */
function inOrder(packages: readonly Published[]): Published[] {
  const ordered: Published[] = []
  const add = (published: Published): void => {
    if (ordered.includes(published)) return
    for (const other of packages) if (published.dependencies.includes(other.name)) add(other)
    ordered.push(published)
  }
  packages.forEach(add)
  return ordered
}
