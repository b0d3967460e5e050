import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TelemetryOptions } from '@otel-ws/core'
import { variableName } from '../../packages/core/src/options/environment.ts'
import type { Spec } from '../../packages/core/src/options/spec.ts'
import { SPECS } from '../../packages/core/src/options/specs.ts'
import { root } from '../run.ts'
import { type Interface, type Member, readInterface } from './interface-source.ts'
import { banner, code, table } from './markdown.ts'
import { type OptionDetail, TOPICS } from './option-details.ts'

const TYPES = 'packages/core/src/options/types.ts'
const CLIENT_TYPES = 'packages/core/src/client/options.ts'
const WS_TYPES = 'packages/ws/src/server.ts'

/** Variables of option `ignore`, whose two lists have one each. */
const IGNORE = ['OTEL_WS_IGNORE_ROUTES', 'OTEL_WS_IGNORE_MESSAGES']

/** One option, from all of its sources. */
interface Option {
  readonly name: keyof TelemetryOptions
  readonly topic: string
  readonly detail: OptionDetail
  /** Its comment, without default and variable. */
  readonly text: string
  readonly type: string
  readonly fallback: string
  readonly variables: readonly string[]
  readonly isOfClients: boolean
}

/** The options reference, as Markdown. */
export async function optionsReference(): Promise<string> {
  const [server, client, ws] = await Promise.all([
    interfaceIn(TYPES, 'TelemetryOptions'),
    interfaceIn(CLIENT_TYPES, 'ClientOptions'),
    interfaceIn(WS_TYPES, 'WebSocketServerOptions'),
  ])
  return describeOptions(readOptions(server.members, client), client, ws.members)
}

async function interfaceIn(path: string, name: string): Promise<Interface> {
  return readInterface(await readFile(join(root, path), 'utf8'), name)
}

/** Joins the sources. Throws for an option without a comment or an entry, and for a comment with another default. */
export function readOptions(members: readonly Member[], client: Interface): Option[] {
  const details = Object.entries(TOPICS).flatMap(([topic, entries]) =>
    Object.entries(entries).map(([name, detail]) => ({ topic, detail, name: name as keyof TelemetryOptions })),
  )
  const missing = Object.keys(SPECS).filter((name) => !details.some((entry) => entry.name === name))
  if (missing.length > 0) throw new Error(`scripts/docs/option-details.ts has no entry for ${missing.join(', ')}`)
  const isOfClients = (name: string) =>
    client.picked.includes(name) || client.members.some((member) => member.name === name)
  return details.map(({ name, topic, detail }) => {
    const spec: Spec<unknown> = SPECS[name]
    const comment = members.find((member) => member.name === name)?.text
    if (!comment) throw new Error(`option ${name} has no comment`)
    const variables = name === 'ignore' ? IGNORE : spec.fromText === undefined ? [] : [variableName(name)]
    for (const variable of variables)
      if (!comment.includes(variable)) throw new Error(`the comment of option ${name} does not name ${variable}`)
    const { text, fallback } = separateDefault(name, comment, spec.fallback)
    return {
      name,
      topic,
      detail,
      text,
      type: spec.type,
      fallback: detail.fallback ?? fallback,
      variables,
      isOfClients: isOfClients(name),
    }
  })
}

/** Takes the sentences about the default and the variable out of a comment, and compares the default with the table's. */
function separateDefault(name: string, comment: string, fallback: unknown): { text: string; fallback: string } {
  const withoutVariable = comment.replace(/ ?Variables? `[^.]*\.$/, '')
  const [sentence, stated, reason] = /(?:^| )Default:? (.*?)(?:(?<=`): (.*?))?\.(?= |$)/.exec(withoutVariable) ?? []
  const because = reason === undefined ? '' : ` ${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
  const text = sentence === undefined ? withoutVariable : withoutVariable.replace(sentence, because).trim()
  const expected = Array.isArray(fallback) ? fallback.join(', ') : String(fallback)
  if (fallback === undefined || expected === '') return { text, fallback: stated ?? 'none' }
  if (stated?.replaceAll('`', '') !== expected)
    throw new Error(`the comment of option ${name} has default ${stated}; the table has ${expected}`)
  return { text, fallback: stated.includes('`') ? stated : code(stated) }
}

function describeOptions(options: readonly Option[], client: Interface, ws: readonly Member[]): string {
  const topics = Object.keys(TOPICS).map((topic) => {
    const own = options.filter((option) => option.topic === topic)
    return `## ${topic}\n\n${own.map(describeOption).join('\n')}`
  })
  const own = client.members.filter(({ text }) => text !== '')
  return `${banner(`${code('packages/core/src/options')}, the table that validates`)}
# Options

One flat object, with the same names for every adapter: \`traceWebSocketServer(wss, options)\` of \`@otel-ws/ws\`,
\`fastify.register(otelWs, options)\`, \`traceSocketServer(io, options)\` of \`@otel-ws/socket.io\`,
\`WsTraceModule.forRoot(options)\`, \`new WebSocketInstrumentation(options)\`. Wrong values and unknown names throw an
\`OptionError\` that names the option, the item and what is right.

Options that are not functions can be set by a variable of the environment as well, also for
[servers without code](https://github.com/otel-ws/otel-ws/tree/main/packages/instrumentation). A value that is set in code wins.

${table(
  ['option', 'default', 'variable', 'clients'],
  options.map(({ name, fallback, variables, isOfClients }) => [
    `[${code(name)}](#${name.toLowerCase()})`,
    fallback,
    variables.map(code).join(', '),
    isOfClients ? 'yes' : '',
  ]),
)}
Clients take the options that are marked, by \`traceWebSocket(socket, options)\` and the other functions of
\`@otel-ws/client\`. They differ in a few, which are listed [below](#options-of-clients).

${topics.join('\n')}
## Options of clients

Clients read no variables. These options differ from those of servers:

${own.map(({ name, text }) => `- ${code(name)}: ${text}\n`).join('')}
## Options of one adapter

${ws.map(({ name, text }) => `- ${code(name)} of \`traceWebSocketServer()\`, \`@otel-ws/ws\`: ${text}\n`).join('')}`
}

function describeOption({ name, detail, text, type, fallback, variables, isOfClients }: Option): string {
  const [variable] = variables
  const byVariable = variable === undefined ? '' : `, or ${code(`${variable}=${quoted(detail.variable ?? '')}`)}`
  return `### ${name}

${text}

- Type: ${type}${detail.unit === undefined ? '' : `, in ${detail.unit}`}
- Default: ${fallback}
- Has an effect on: ${detail.servers ?? 'all servers'}${isOfClients ? '; clients' : ''}
- Example: ${code(`{ ${detail.example} }`)}${byVariable}
`
}

/** A value as a shell takes it. */
function quoted(value: string): string {
  return /^[\w.,/-]+$/.test(value) ? value : `'${value}'`
}
