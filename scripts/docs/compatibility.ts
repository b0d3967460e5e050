import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Capabilities, Harness } from '@otel-ws/testkit'
import { publishedPackages } from '../packages/tarballs.ts'
import { root } from '../run.ts'
import { banner, code, table } from './markdown.ts'

/** What each capability of a harness means to a user. A capability without a text here does not compile. */
const TEXTS: {
  readonly [Name in keyof Capabilities]: { readonly row: string; readonly cell: (value: Capabilities[Name]) => string }
} = {
  handlerErrors: {
    row: 'A connection handler throws',
    cell: (value) => (value === 'crash' ? 'the process ends, as without us' : 'the host handles it, as without us'),
  },
  serverHooks: {
    row: '`verifyClient`, `handleProtocols`, `wsClientError`',
    cell: (value) => (value ? 'traced' : 'not called by the host'),
  },
  routeOption: {
    row: 'Route template comes from',
    cell: (value) => (value ? 'option `route`, else the `path` of the server' : 'the routes of the host'),
  },
  shutdownAlone: {
    row: 'Telemetry ends',
    cell: (value) => (value ? 'with `shutdown()`, while the host goes on' : 'when the host closes'),
  },
}

interface Tested {
  readonly name: string
  readonly peers: string
  readonly harnesses: readonly Harness[]
}

/** The compatibility table, as Markdown: what the harnesses of the suites declare. */
export async function compatibilityTable(): Promise<string> {
  const packages = await publishedPackages(['packages'])
  const tested: Tested[] = []
  for (const { name, folder } of packages) {
    const file = join(folder, 'test', 'harness.ts')
    if (!(await exists(file))) continue
    const module = (await import(pathToFileURL(file).href)) as { harness: Harness; harnesses?: readonly Harness[] }
    tested.push({ name, peers: await peerRanges(folder), harnesses: module.harnesses ?? [module.harness] })
  }
  const columns = tested.flatMap(columnsOf)
  return `${banner('the harnesses of the suites (`packages/*/test/harness.ts`)')}
# Compatibility

Every host below runs the same conformance, transparency and leak suites in CI. Where hosts differ, the harness declares
it, and the table says it.

${table(
  ['package', 'hosts it is tested on', 'supported versions'],
  tested.map(({ name, peers, harnesses }) => [code(name), harnesses.map((harness) => harness.name).join('; '), peers]),
)}
Node ${await nodeRange()}; tested on 20, 22, 24 and 26.

## Where hosts differ

${table(['', ...columns.map(({ title }) => title)], capabilityRows(columns.map(({ capabilities }) => capabilities)))}`
}

/** One column per package, or one per host where the hosts of a package differ. */
function columnsOf({ name, harnesses }: Tested): { title: string; capabilities: Capabilities }[] {
  const [first] = harnesses
  if (first === undefined) throw new Error(`the harness of ${name} names no host`)
  const alike = harnesses.every(({ capabilities }) => isDeepStrictEqual(capabilities, first.capabilities))
  if (alike) return [{ title: code(name), capabilities: first.capabilities }]
  return harnesses.map((harness) => ({ title: harness.name, capabilities: harness.capabilities }))
}

function capabilityRows(all: readonly Capabilities[]): string[][] {
  const names = Object.keys(TEXTS) as (keyof Capabilities)[]
  return names.map((name) => [TEXTS[name].row, ...all.map((capabilities) => cell(name, capabilities))])
}

function cell<Name extends keyof Capabilities>(name: Name, capabilities: Capabilities): string {
  return TEXTS[name].cell(capabilities[name])
}

async function peerRanges(folder: string): Promise<string> {
  const { peerDependencies = {} } = await manifest(folder)
  return Object.entries(peerDependencies)
    .map(([name, range]) => `${code(name)} ${range}`)
    .join(', ')
}

async function nodeRange(): Promise<string> {
  const { engines } = await manifest(root)
  return engines?.node ?? ''
}

async function manifest(
  folder: string,
): Promise<{ peerDependencies?: Record<string, string>; engines?: { node: string } }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
