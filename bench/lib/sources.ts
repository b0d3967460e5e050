import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Names where the code at a place in a running script comes from: package and file. */
export class SourceFiles {
  readonly #bundles = new Map<string, Promise<(string | undefined)[]>>()

  async placeOf(url: string, line: number): Promise<string> {
    if (url.startsWith('node:')) return `node ${url.slice('node:'.length)}`
    const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url)
    if (dependency) return `${dependency[1]} ${basename(dependency[2]!)}`
    const source = (await this.#regionsOf(url))[line]
    const own = /packages\/([^/]+)\/src\/(.*)$/.exec(source ?? '')
    if (own) return `@otel-ws/${own[1]} ${own[2]}`
    return `bench ${source ?? basename(url)}`
  }

  #regionsOf(url: string): Promise<(string | undefined)[]> {
    const regions = this.#bundles.get(url) ?? sourceOfEachLine(url)
    this.#bundles.set(url, regions)
    return regions
  }
}

/** The source file of each line of a bundle, by the region comments that the bundler leaves there. */
async function sourceOfEachLine(url: string): Promise<(string | undefined)[]> {
  let source: string | undefined
  const text = await readFile(fileURLToPath(url), 'utf8')
  return text.split('\n').map((line) => {
    const start = /^\/\/#region (.*)$/.exec(line)
    if (start) source = start[1]
    else if (line.startsWith('//#endregion')) source = undefined
    return source
  })
}
