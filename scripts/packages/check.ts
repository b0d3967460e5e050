import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format } from '../docs/format.ts'
import { checkBrowser } from './browser.ts'
import { addConsumers, createProject, runConsumers } from './consumers.ts'
import { checkFirstTrace } from './first-trace.ts'
import { checkSizes, measureSizes, sizesTable, TABLE } from './sizes.ts'
import { lint, pack, publishedPackages } from './tarballs.ts'

/** Packages that must run in browsers. */
const ISOMORPHIC = ['@otel-ws/core', '@otel-ws/client']

/** Checks the packages as a user gets them: packed, installed, imported, bundled. They must have been built. */
export async function checkPackages(): Promise<string> {
  const packages = await publishedPackages(['packages'])
  return withFolder(async (folder) => {
    const tarballs = await pack(packages, join(folder, 'tarballs'))
    const programs = await pack(await publishedPackages(['apps']), join(folder, 'tarballs'))
    const project = join(folder, 'project')
    const installed = createProject(project, tarballs).then(() => addConsumers(project, tarballs))
    for (const tarball of [...tarballs, ...programs]) await lint(tarball)
    await installed
    await checkSizes(await measureSizes(project, packages))
    for (const published of packages) if (ISOMORPHIC.includes(published.name)) await checkBrowser(project, published)
    const consumers = await runConsumers(project)
    const traces = await checkFirstTrace(join(folder, 'first-trace'), tarballs)
    return `consumers: ${consumers.join(', ')}; first trace: ${traces.join(', ')}`
  })
}

/** The committed table of sizes, by its path, from packages that have been built. */
export async function sizesDocument(): Promise<Record<string, string>> {
  const packages = await publishedPackages(['packages'])
  return withFolder(async (folder) => {
    const project = join(folder, 'project')
    await createProject(project, await pack(packages, join(folder, 'tarballs')))
    return { [TABLE]: await format(TABLE, sizesTable(await measureSizes(project, packages))) }
  })
}

async function withFolder<R>(work: (folder: string) => Promise<R>): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), 'packages-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
