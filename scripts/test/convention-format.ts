/*
 * Rules for files of OpenTelemetry's registry of semantic conventions, version 1 of the format: those that hold for
 * the kinds of groups that we write. Written from the published description of the format
 * (https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.md); stricter in that a property that we
 * do not write is refused.
 */

const NAME = { type: 'string', pattern: String.raw`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$` }
const TEXT = { type: 'string', minLength: 1 }
const STABILITY = { enum: ['stable', 'release_candidate', 'beta', 'alpha', 'development'] }

const MEMBER = {
  type: 'object',
  required: ['id', 'value', 'stability'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^[a-z][a-z0-9_]*$' },
    value: { type: ['string', 'integer'] },
    brief: TEXT,
    note: TEXT,
    stability: STABILITY,
  },
}

/** Types with the examples that they allow. Strings need an example. */
const TYPES = [
  ...['string', 'int', 'double', 'boolean'].map((type) => examples(type, scalar(type), type === 'string')),
  ...['string', 'int', 'double', 'boolean'].map((type) =>
    examples(`${type}[]`, { type: 'array', items: scalar(type) }, type === 'string'),
  ),
]

function examples(type: string, example: object, isRequired: boolean): object {
  return {
    if: { properties: { type: { const: type } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: {
      properties: { examples: { type: 'array', minItems: 1, items: example } },
      ...(isRequired && { required: ['examples'] }),
    },
  }
}

function scalar(type: string): object {
  return { type: ({ int: 'integer', double: 'number' } as Record<string, string>)[type] ?? type }
}

const DEFINITION = {
  type: 'object',
  required: ['id', 'type', 'stability', 'brief'],
  additionalProperties: false,
  properties: {
    id: NAME,
    type: {
      oneOf: [
        { enum: ['string', 'int', 'double', 'boolean', 'string[]', 'int[]', 'double[]', 'boolean[]'] },
        {
          type: 'object',
          required: ['members'],
          additionalProperties: false,
          properties: { members: { type: 'array', minItems: 1, items: MEMBER } },
        },
      ],
    },
    stability: STABILITY,
    brief: TEXT,
    note: TEXT,
    examples: true,
  },
  allOf: TYPES,
}

const REFERENCE = {
  type: 'object',
  required: ['ref', 'requirement_level'],
  additionalProperties: false,
  properties: {
    ref: NAME,
    requirement_level: {
      oneOf: [
        { enum: ['required', 'recommended', 'opt_in'] },
        ...['conditionally_required', 'recommended'].map((level) => ({
          type: 'object',
          required: [level],
          additionalProperties: false,
          properties: { [level]: TEXT },
        })),
      ],
    },
  },
}

/** A group of a type: what all have, and what only this one has. All of it is required, except for names in `optional`. */
function group(type: string, own: Readonly<Record<string, object>>, attribute: object, optional = ['note']): object {
  const properties = { id: NAME, type: { const: type }, brief: TEXT, note: TEXT, ...own }
  return {
    type: 'object',
    required: [...Object.keys(properties).filter((name) => !optional.includes(name)), 'attributes'],
    additionalProperties: false,
    properties: { ...properties, attributes: { type: 'array', items: attribute } },
  }
}

const GROUPS: Readonly<Record<string, object>> = {
  attribute_group: group('attribute_group', { display_name: TEXT, stability: STABILITY }, DEFINITION, [
    'note',
    'display_name',
    'stability',
  ]),
  span: group(
    'span',
    { stability: STABILITY, span_kind: { enum: ['client', 'server', 'producer', 'consumer', 'internal'] } },
    REFERENCE,
  ),
  event: group('event', { stability: STABILITY, name: NAME }, REFERENCE),
  metric: group(
    'metric',
    {
      stability: STABILITY,
      metric_name: NAME,
      instrument: { enum: ['counter', 'gauge', 'histogram', 'updowncounter'] },
      unit: TEXT,
    },
    REFERENCE,
  ),
}

/** JSON schema of a file of the registry. */
export const CONVENTION_FORMAT = {
  type: 'object',
  required: ['groups'],
  additionalProperties: false,
  properties: {
    groups: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['type'],
        properties: { type: { enum: Object.keys(GROUPS) } },
        allOf: Object.entries(GROUPS).map(([type, rules]) => ({
          if: { properties: { type: { const: type } } },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
          then: rules,
        })),
      },
    },
  },
}
