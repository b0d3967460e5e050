import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../run.ts'
import { banner, code, table } from './markdown.ts'
import { type Declaration, readDeclarations } from './schema-source.ts'
import { SPANS } from './spans.ts'

const SCHEMA = 'packages/core/src/schema.ts'

/** Words that a tag `@on` may use beside the kinds of spans. */
const PLACES = new Set([
  'metrics',
  'links',
  'all spans',
  'all spans but broadcast and deliver',
  'spans and metrics of failures',
  'spans of connections with a protocol',
  'metrics of operations',
])

interface Instrument {
  readonly name: string
  readonly type: string
  readonly unit: string
  readonly description: string
  readonly buckets?: readonly number[]
}

/** The telemetry reference, as Markdown. */
export async function telemetryReference(): Promise<string> {
  const file = join(root, SCHEMA)
  const declarations = readDeclarations(await readFile(file, 'utf8'))
  const values = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  return describeTelemetry(declarations, values)
}

/** Describes the constants of a schema. Throws for one without a comment, and for a tag that is missing or unknown. */
export function describeTelemetry(
  declarations: readonly Declaration[],
  values: Readonly<Record<string, unknown>>,
): string {
  const attributes = declarations.filter(({ constant }) => constant.startsWith('ATTR_'))
  const instruments = declarations.filter(({ constant }) => constant.startsWith('METRIC_'))
  return `${banner(code(SCHEMA))}
# Telemetry reference

Every span, attribute and metric that otel-ws emits. Names of the semantic conventions are used where they exist;
the others begin with \`websocket.\`. Units are UCUM, durations are in seconds. The same names in the format of
OpenTelemetry's registry, and the proposal to adopt them: [semantic-conventions](semantic-conventions/README.md).

## Spans

${table(
  ['span', 'kind', 'parent', 'covers'],
  Object.values(SPANS).map((span) => [span.name, span.kind, span.parent, span.covers]),
)}
\`{route}\` is the route template (\`/chat/:room\`), never a raw path; without one the name is only the word.
\`{name}\` is the message's name if there is one, otherwise the route. Every root span after the handshake has one link to it. Spans have
status \`ERROR\` if their operation failed; a close has it for the categories of option \`closeErrors\`.

A span is PRODUCER or CLIENT only if its context leaves the process, and CONSUMER only if the one span that it answers to is its
parent, so that each finds its partner in a service graph ([ADR 20](adr/0020-choose-span-kinds-by-what-service-graphs-pair.md)).
With \`spanKinds: 'messaging'\` all messages are CONSUMER or SERVER, and PRODUCER or CLIENT, as are broadcasts and deliveries, for
backends that list only such spans.

## Attributes

${table(
  ['attribute', 'on', ''],
  attributes.map((declaration) => attributeRow(declaration, values)),
)}
## Metrics

Metrics are exact with any sampling. In the table, *route*, *namespace*, *subprotocol*, *message name* and the like are
the attributes above; those without a value are omitted.

${table(
  ['instrument', 'type', 'unit', 'attributes', ''],
  instruments.map((declaration) => instrumentRow(declaration, values)),
)}
Bucket boundaries, given as advice; a view overrides them:

${table(['boundaries', 'instruments'], bucketRows(instruments, values))}`
}

function attributeRow(declaration: Declaration, values: Readonly<Record<string, unknown>>): string[] {
  const { constant, text, tags } = declaration
  const value = values[constant]
  if (typeof value !== 'string') throw new Error(`${constant} is not a string`)
  if (text === '') throw new Error(`${constant} has no comment`)
  return [code(value), places(constant, tags['on']), text]
}

function places(constant: string, on: string | undefined): string {
  if (on === undefined) throw new Error(`${constant} has no tag @on`)
  for (const place of on.split(', ')) {
    if (!Object.hasOwn(SPANS, place) && !PLACES.has(place)) throw new Error(`${constant}: @on ${place} is unknown`)
  }
  return on
}

function instrumentRow(declaration: Declaration, values: Readonly<Record<string, unknown>>): string[] {
  const { name, type, unit, description } = instrument(declaration, values)
  const { attributes } = declaration.tags
  if (attributes === undefined) throw new Error(`${declaration.constant} has no tag @attributes`)
  return [code(name), type, code(unit), attributes, `${description} ${declaration.text}`.trim()]
}

/** One row per list of boundaries: most instruments share one. */
function bucketRows(declarations: readonly Declaration[], values: Readonly<Record<string, unknown>>): string[][] {
  const rows = new Map<string, string[]>()
  for (const declaration of declarations) {
    const { name, unit, buckets } = instrument(declaration, values)
    if (buckets === undefined) continue
    const key = `${buckets.join(', ')} ${unit.startsWith('{') ? '' : unit}`.trim()
    rows.set(key, [...(rows.get(key) ?? []), code(name)])
  }
  return [...rows].map(([boundaries, names]) => [boundaries, names.join(', ')])
}

function instrument({ constant }: Declaration, values: Readonly<Record<string, unknown>>): Instrument {
  const value = values[constant] as Instrument | undefined
  if (typeof value?.name !== 'string') throw new Error(`${constant} is not an instrument`)
  return value
}
