import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkBrowser } from './browser.ts'
import { createProject, runConsumers } from './consumers.ts'
import { checkSize } from './sizes.ts'
import { lint, pack, publishedPackages } from './tarballs.ts'

/** Packages that must run in browsers. */
const ISOMORPHIC = ['@otel-ws/core', '@otel-ws/client']

/** Checks the packages as a user gets them: packed, installed, imported, bundled. They must have been built. */
export async function checkPackages(): Promise<string> {
  const packages = await publishedPackages(['packages'])
  const folder = await mkdtemp(join(tmpdir(), 'packages-'))
  try {
    const tarballs = await pack(packages, join(folder, 'tarballs'))
    const programs = await pack(await publishedPackages(['apps']), join(folder, 'tarballs'))
    const project = join(folder, 'project')
    const installed = createProject(project, tarballs)
    for (const tarball of [...tarballs, ...programs]) await lint(tarball)
    await installed
    const sizes: string[] = []
    for (const published of packages) sizes.push(`${published.name} ${await checkSize(project, published)}`)
    for (const published of packages) if (ISOMORPHIC.includes(published.name)) await checkBrowser(project, published)
    const consumers = await runConsumers(project)
    return `${sizes.join(', ')} gzipped; consumers: ${consumers.join(', ')}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
