import { readFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Time that was spent in one place itself, without what it called. */
export interface SelfTime {
  /** Function name. */
  name: string
  /** Source file, package or `node:` module. */
  place: string
  /** µs. */
  time: number
}

/** Self time by function of a `.cpuprofile`, most first. Idle time is left out. */
export async function selfTimes(file: string): Promise<SelfTime[]> {
  const profile: Profiler.Profile = JSON.parse(await readFile(file, 'utf8'))
  const sources = new SourceFiles()
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const byFunction = new Map<string, SelfTime>()
  for (const [i, id] of (profile.samples ?? []).entries()) {
    const { functionName, url, lineNumber } = nodes.get(id)!.callFrame
    if (functionName === '(idle)') continue
    const name = functionName || `(anonymous, line ${lineNumber + 1})`
    const place = url === '' ? 'engine' : await sources.placeOf(url, lineNumber)
    const key = `${url}:${lineNumber}:${name}`
    const entry = byFunction.get(key) ?? { name, place, time: 0 }
    // A sample stands for the time up to the next one.
    entry.time += profile.timeDeltas?.[i + 1] ?? 0
    byFunction.set(key, entry)
  }
  return [...byFunction.values()].sort((a, b) => b.time - a.time)
}

/** Self time by package: the part of a place before the file. */
export function byPackage(times: readonly SelfTime[]): SelfTime[] {
  const packages = new Map<string, SelfTime>()
  for (const { place, time } of times) {
    const name = place.split(' ', 1)[0]!
    const entry = packages.get(name) ?? { name, place: '', time: 0 }
    entry.time += time
    packages.set(name, entry)
  }
  return [...packages.values()].sort((a, b) => b.time - a.time)
}

/** Names the source file of a line in a bundle, by the region comments that the bundler leaves there. */
class SourceFiles {
  readonly #bundles = new Map<string, (string | undefined)[]>()

  async placeOf(url: string, line: number): Promise<string> {
    if (url.startsWith('node:')) return `node ${url.slice('node:'.length)}`
    const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url)
    if (dependency) return `${dependency[1]} ${basename(dependency[2]!)}`
    const source = (await this.#regionsOf(fileURLToPath(url)))[line]
    const own = /packages\/([^/]+)\/src\/(.*)$/.exec(source ?? '')
    if (own) return `@otel-ws/${own[1]} ${own[2]}`
    return `bench ${source ?? basename(url)}`
  }

  async #regionsOf(file: string): Promise<(string | undefined)[]> {
    const known = this.#bundles.get(file)
    if (known) return known
    let region: string | undefined
    const regions = (await readFile(file, 'utf8')).split('\n').map((text) => {
      const start = /^\/\/#region (.*)$/.exec(text)
      if (start) region = start[1]
      else if (text.startsWith('//#endregion')) region = undefined
      return region
    })
    this.#bundles.set(file, regions)
    return regions
  }
}
