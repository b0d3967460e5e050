import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Capabilities, EventCapabilities, EventHarness, Harness } from '@otel-ws/testkit'
import { publishedPackages } from '../packages/tarballs.ts'
import { root } from '../run.ts'
import { banner, code, table } from './markdown.ts'
import { runtimesSection } from './runtimes.ts'

/** Meaning of each capability to a user. A capability without a text here does not compile. */
type Texts<All> = {
  readonly [Name in keyof All]: { readonly row: string; readonly cell: (value: All[Name]) => string }
}

const ERRORS: Readonly<Record<Capabilities['connectionErrors'], string>> = {
  crash: 'the process sees the error, as without otel-ws',
  rejection: 'the process sees an unhandled rejection, as without otel-ws',
  caught: 'the host logs what was thrown, the process sees a rejection, as without otel-ws',
  handled: 'the host handles it, as without otel-ws',
}

const TEXTS: Texts<Capabilities> = {
  connectionErrors: {
    row: 'A connection handler fails',
    cell: (value) => ERRORS[value],
  },
  ws: {
    row: 'Sockets and server',
    cell: (value) => (value ? 'those of `ws`, with `verifyClient`, `handleProtocols` and the like' : "the host's own"),
  },
  seesAnswers: {
    row: 'Requests that the host refuses, clients that hang up',
    cell: (value) => (value ? 'rejected and abandoned handshakes' : 'not seen: the span of the handshake stays open'),
  },
  peerAddress: {
    row: '`client.address` and `client.port`',
    cell: (value) => (value ? 'recorded' : 'not known to the adapter'),
  },
  pings: {
    row: 'Pings of the application',
    cell: (value) => (value ? 'measured' : 'the host has none'),
  },
  broadcast: {
    row: 'Function `broadcast()`',
    cell: (value) => (value ? 'yes' : 'no: a loop of sends is recorded as one broadcast'),
  },
  routeOption: {
    row: 'Route template comes from',
    cell: (value) => (value ? 'option `route`, otherwise the `path` of the server' : 'the routes of the host'),
  },
  shutdownAlone: {
    row: 'Telemetry ends',
    cell: (value) => (value ? 'with `shutdown()`, while the host keeps running' : 'when the host closes'),
  },
}

const EVENT_TEXTS: Texts<EventCapabilities> = {
  acks: {
    row: 'Acknowledgements, both ways',
    cell: (value) => (value ? 'on the span of their event' : 'the host has none'),
  },
  rooms: {
    row: 'Rooms',
    cell: (value) => (value ? 'one span per broadcast, to any rooms' : 'the host has none'),
  },
  eventErrors: {
    row: 'An event handler fails',
    cell: (value) => ERRORS[value],
  },
  connectionErrors: {
    row: 'A connection handler fails',
    cell: (value) => ERRORS[value],
  },
  seesAnswers: TEXTS.seesAnswers,
  unknownEvents: {
    row: 'Events without a handler',
    cell: (value) =>
      ({
        other: 'named `_OTHER`',
        named: 'named like any other: the host has no registered names',
        unseen: 'not traced: the host drops them before the adapter',
      })[value],
  },
  heartbeats: {
    row: 'Heartbeats',
    cell: (value) =>
      ({ host: "the host's own, measured", option: 'with option `heartbeatInterval`', none: 'the host has none' })[
        value
      ],
  },
  frames: {
    row: 'Close codes',
    cell: (value) =>
      value ? 'those of the WebSocket, also for broken frames' : 'those of the WebSocket, where there is one',
  },
  shutdownAlone: TEXTS.shutdownAlone,
}

/** A host as the tests drive it, of any kind. */
interface Host<All> {
  readonly name: string
  readonly capabilities: All
}

interface Tested {
  readonly name: string
  readonly peers: string
  readonly harnesses: readonly Harness[]
  readonly eventHarnesses: readonly EventHarness[]
}

interface HarnessModule {
  readonly harness?: Harness
  readonly harnesses?: readonly Harness[]
  readonly eventHarnesses?: readonly EventHarness[]
}

/** The compatibility table, as Markdown: what the harnesses of the suites declare. */
export async function compatibilityTable(): Promise<string> {
  const packages = await publishedPackages(['packages'])
  const tested: Tested[] = []
  for (const { name, folder } of packages) {
    const file = join(folder, 'test', 'harness.ts')
    if (!(await exists(file))) continue
    const { harness, harnesses, eventHarnesses = [] } = (await import(pathToFileURL(file).href)) as HarnessModule
    const hosts = harnesses ?? (harness === undefined ? [] : [harness])
    if (hosts.length + eventHarnesses.length === 0) throw new Error(`the harness of ${name} names no host`)
    tested.push({ name, peers: await peerRanges(folder), harnesses: hosts, eventHarnesses })
  }
  return `${banner('the harnesses of the suites (`packages/*/test/harness.ts`)')}
# Compatibility

Every host below runs the same conformance, transparency and leak suites in CI. Where hosts differ, the harness declares
it, and the tables list it.

${table(
  ['package', 'hosts it is tested on', 'supported versions'],
  tested.map(({ name, peers, harnesses, eventHarnesses }) => [
    code(name),
    [...harnesses, ...eventHarnesses].map((harness) => harness.name).join('; '),
    peers,
  ]),
)}
Node ${await nodeRange()}; tested on 20, 22, 24 and 26.

## Where hosts differ

${comparison(
  TEXTS,
  tested.flatMap(({ name, harnesses }) => columnsOf(name, harnesses)),
)}
Hosts of named events run their own suites:

${comparison(
  EVENT_TEXTS,
  tested.flatMap(({ name, eventHarnesses }) => columnsOf(name, eventHarnesses)),
)}
${await runtimesSection()}`
}

/** One column per package, or one per host where the hosts of a package differ. */
function columnsOf<All>(name: string, hosts: readonly Host<All>[]): Host<All>[] {
  const [first] = hosts
  if (first === undefined) return []
  const alike = hosts.every(({ capabilities }) => isDeepStrictEqual(capabilities, first.capabilities))
  return alike ? [{ name: code(name), capabilities: first.capabilities }] : [...hosts]
}

function comparison<All>(texts: Texts<All>, columns: readonly Host<All>[]): string {
  const names = Object.keys(texts as object) as (keyof All)[]
  return table(
    ['', ...columns.map(({ name }) => name)],
    names.map((name) => [texts[name].row, ...columns.map(({ capabilities }) => texts[name].cell(capabilities[name]))]),
  )
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
