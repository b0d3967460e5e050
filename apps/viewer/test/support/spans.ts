import type { Attribute, Resource, Span } from '../../src/model.ts'
import { Store, type StoreLimits } from '../../src/store/store.ts'

const roomy: StoreLimits = {
  maxSpans: 1000,
  maxBytes: 10_000_000,
  maxSpansPerTrace: 500,
  maxConnections: 100,
  maxSeries: 100,
  maxSamples: 10_000,
  maxLogs: 1000,
  maxLogBytes: 1_000_000,
}

export function storeWith(limits: Partial<StoreLimits> = {}): Store {
  return new Store({ ...roomy, ...limits })
}

/** Ids as the wire has them, from small numbers. */
export const traceId = (number: number) => `1${number.toString(16).padStart(31, '0')}`
export const spanId = (number: number) => `2${number.toString(16).padStart(15, '0')}`

interface Parts extends Partial<Omit<Span, 'attributes'>> {
  readonly attributes?: Readonly<Record<string, Attribute[1]>>
  readonly service?: string
}

const resources = new Map<string, Resource>()

function resourceOf(service: string): Resource {
  const known = resources.get(service) ?? { service, instance: '1', attributes: [['service.name', service]] }
  resources.set(service, known)
  return known
}

let made = 0

/** A span; what is not given is plausible, and ids are new. */
export function span({ attributes = {}, service = 'chat', ...parts }: Parts = {}): Span {
  made++
  return {
    traceId: traceId(1_000_000 + made),
    spanId: spanId(1_000_000 + made),
    parentSpanId: '',
    name: 'work',
    kind: 'internal',
    start: 1_763_721_000_000,
    duration: 5,
    error: false,
    statusMessage: '',
    attributes: Object.entries(attributes),
    events: [],
    links: [],
    dropped: 0,
    resource: resourceOf(service),
    scope: 'test',
    ...parts,
  }
}
