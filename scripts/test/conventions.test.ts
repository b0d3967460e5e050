import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as stable from '@opentelemetry/semantic-conventions'
import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as schema from '../../packages/core/src/schema.ts'
import { ATTRIBUTES, CONDITIONS } from '../docs/convention-details.ts'
import { describeConventions } from '../docs/conventions.ts'
import { type Declaration, readDeclarations } from '../docs/schema-source.ts'
import { SPANS } from '../docs/spans.ts'
import { root } from '../run.ts'
import { CONVENTION_FORMAT } from './convention-format.ts'

interface Attribute {
  readonly id?: string
  readonly ref?: string
  readonly type?: string | { readonly members: readonly { readonly value: string }[] }
  readonly requirement_level?: unknown
}

interface Group {
  readonly id: string
  readonly type: string
  readonly metric_name?: string
  readonly attributes: readonly Attribute[]
}

const FOLDER = join(root, 'docs/semantic-conventions')
const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(
  CONVENTION_FORMAT,
)

let files: Record<string, { groups: Group[] }>
let groups: Group[]
let declarations: Declaration[]

beforeAll(async () => {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'))
  const read = names.map(async (name) => [name, parse(await readFile(join(FOLDER, name), 'utf8'))] as const)
  files = Object.fromEntries(await Promise.all(read))
  groups = Object.values(files).flatMap((file) => file.groups)
  declarations = readDeclarations(await readFile(join(root, 'packages/core/src/schema.ts'), 'utf8'))
})

const valuesOf = (prefix: string): unknown[] =>
  Object.entries(schema).flatMap(([constant, value]) => (constant.startsWith(prefix) ? [value] : []))

const group = (id: string): Group => {
  const found = groups.find((one) => one.id === id)
  if (found === undefined) throw new Error(`no group ${id}`)
  return found
}

describe('the registry of conventions', () => {
  it('follows the format in every file', () => {
    expect(Object.keys(files).sort()).toEqual(['events.yaml', 'metrics.yaml', 'registry.yaml', 'spans.yaml'])
    for (const [name, file] of Object.entries(files)) {
      validate(file)
      expect([name, validate.errors]).toEqual([name, null])
    }
  })

  it('has every name of the schema, once', () => {
    const own = valuesOf('ATTR_').filter((name) => String(name).startsWith('websocket.'))
    expect(group('registry.websocket').attributes.map(({ id }) => id)).toEqual(own)
    const metrics = valuesOf('METRIC_').map((value) => (value as { name: string }).name)
    expect(groups.flatMap((one) => one.metric_name ?? [])).toHaveLength(metrics.length)
    expect(new Set(groups.flatMap((one) => one.metric_name ?? []))).toEqual(new Set(metrics))
    expect(groups.filter(({ type }) => type === 'span')).toHaveLength(Object.keys(SPANS).length)
    expect(groups.filter(({ type }) => type === 'event').map(({ id }) => id)).toEqual(
      valuesOf('EVENT_').map((name) => `event.${name}`),
    )
    expect(new Set(groups.map(({ id }) => id)).size).toBe(groups.length)
  })

  it('refers only to attributes that it defines, or that OpenTelemetry defines', () => {
    const known = new Set<unknown>([...Object.values(stable), ...Object.values(incubating)])
    const own = new Set(group('registry.websocket').attributes.map(({ id }) => id))
    const refs = groups.flatMap(({ attributes }) => attributes.flatMap(({ ref }) => ref ?? []))
    expect(refs.filter((ref) => !own.has(ref) && !known.has(ref))).toEqual([])
    // A name that OpenTelemetry has must not be defined a second time.
    expect([...own].filter((id) => known.has(id))).toEqual([])
    expect(Object.keys(CONDITIONS).filter((name) => !known.has(name))).toEqual([])
  })

  it('uses every attribute that it defines on a signal, except for that of links', () => {
    const refs = new Set(groups.flatMap(({ attributes }) => attributes.flatMap(({ ref }) => ref ?? [])))
    const unused = group('registry.websocket').attributes.flatMap(({ id }) => (id && !refs.has(id) ? [id] : []))
    expect(unused).toEqual(['websocket.link.kind'])
  })

  it('has metrics exactly for the attributes whose comments say so', () => {
    const refs = new Set(
      groups.flatMap(({ type, attributes }) => (type === 'metric' ? attributes.map(({ ref }) => ref) : [])),
    )
    const said = declarations
      .filter(({ tags }) => /\bmetrics\b/.test(tags['on'] ?? ''))
      .map(({ constant }) => (schema as unknown as Record<string, string>)[constant])
    expect([...refs].sort()).toEqual(said.sort())
  })

  it('lists the values of an attribute that its comment lists', () => {
    const texts = new Map(
      declarations.map(({ constant, text }) => [(schema as unknown as Record<string, unknown>)[constant], text]),
    )
    for (const [name, { type }] of Object.entries(ATTRIBUTES)) {
      if (typeof type === 'string') continue
      for (const value of type) expect(texts.get(name)).toContain(`\`${value}\``)
    }
  })

  it('lists as deviations in its README each attribute whose name is a namespace, too', async () => {
    const names = Object.keys(ATTRIBUTES)
    const both = names.filter((name) => names.some((other) => other.startsWith(`${name}.`)))
    expect(both).toEqual(['websocket.connection.messages.received', 'websocket.connection.messages.sent'])
    const readme = await readFile(join(FOLDER, 'README.md'), 'utf8')
    for (const name of both) expect(readme).toContain(`\`${name}\``)
  })

  it('says when a span or metric has an attribute', () => {
    const level = (id: string, ref: string) =>
      group(id).attributes.find((attribute) => attribute.ref === ref)?.requirement_level
    expect(level('span.websocket.close.internal', 'websocket.close.code')).toBe('recommended')
    expect(level('span.websocket.close.internal', 'websocket.close.reason')).toBe('opt_in')
    expect(level('span.websocket.deliver.internal', 'websocket.connection.id')).toBeUndefined()
    expect(level('metric.websocket.server.message.process.duration', 'websocket.span.ended_by')).toEqual({
      conditionally_required: 'If the connection closed before.',
    })
    expect(level('metric.websocket.server.messages', 'websocket.message.type')).toEqual({
      conditionally_required: 'If the message has no name.',
    })
    expect(level('metric.websocket.server.stream.duration', 'websocket.stream.outcome')).toBeDefined()
    expect(level('metric.websocket.client.connect.duration', 'websocket.handshake.outcome')).toBe('recommended')
  })
})

describe('the rules of the format', () => {
  const change = (id: string, changed: object): unknown => ({ groups: [{ ...group(id), ...changed }] })

  it.each([
    ['a metric without a unit', 'metric.websocket.server.io', { unit: undefined }, "required property 'unit'"],
    ['an unknown instrument', 'metric.websocket.server.io', { instrument: 'summary' }, 'one of the allowed values'],
    ['an unknown kind of span', 'span.websocket.open.internal', { span_kind: 'local' }, 'one of the allowed values'],
    ['a span without a stability', 'span.websocket.open.internal', { stability: undefined }, "property 'stability'"],
    ['an unknown group', 'span.websocket.open.internal', { type: 'trace' }, 'one of the allowed values'],
    ['a name with capitals', 'metric.websocket.server.io', { metric_name: 'websocket.IO' }, 'must match pattern'],
    [
      'a definition on a span',
      'span.websocket.open.internal',
      { attributes: [{ id: 'websocket.x', type: 'int', stability: 'development', brief: 'X.' }] },
      "required property 'ref'",
    ],
    [
      'a string without examples',
      'registry.websocket',
      { attributes: [{ id: 'websocket.x', type: 'string', stability: 'development', brief: 'X.' }] },
      "required property 'examples'",
    ],
    [
      'an example of another type',
      'registry.websocket',
      { attributes: [{ id: 'websocket.x', type: 'int', stability: 'development', brief: 'X.', examples: ['1'] }] },
      'must be integer',
    ],
  ])('refuse %s', (_, id, changed, message) => {
    expect(validate(JSON.parse(JSON.stringify(change(id, changed))))).toBe(false)
    expect(validate.errors?.map((error) => error.message).join('\n')).toContain(message)
  })
})

describe('the generator of the registry', () => {
  const generate = (source: string, values: Record<string, unknown>) =>
    describeConventions(readDeclarations(source), values)

  it.each([
    [
      'an attribute whose type is not known',
      "/** Text. @on close */\nexport const ATTR_NEW = 'websocket.new'",
      { ATTR_NEW: 'websocket.new' },
      'attribute websocket.new has no entry in ATTRIBUTES',
    ],
    [
      'an event whose attributes are not known',
      "/** Text. */\nexport const EVENT_NEW = 'websocket.new'",
      { EVENT_NEW: 'websocket.new' },
      'EVENT_NEW has no entry in EVENTS',
    ],
    [
      'a metric with a word that is no attribute',
      '/** @attributes colour */\nexport const METRIC_NEW = {}',
      { METRIC_NEW: { name: 'websocket.new', type: 'counter', unit: '1', description: 'New.' } },
      '@attributes colour of websocket.new (METRIC_NEW) is unknown',
    ],
    [
      'an instrument that the format does not have',
      '/** @attributes route */\nexport const METRIC_NEW = {}',
      { METRIC_NEW: { name: 'websocket.new', type: 'summary', unit: '1', description: 'New.' } },
      'METRIC_NEW: instrument summary is unknown',
    ],
  ])('refuses %s', (_, source, values, message) => {
    expect(() => generate(source, values)).toThrow(message)
  })
})
