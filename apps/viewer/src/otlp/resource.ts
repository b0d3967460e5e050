import { type Resource, textAttribute } from '../model.ts'
import { cut, limits } from './limits.ts'
import { attributes, fields } from './values.ts'

// Every request repeats the resource of its sender; one copy serves all of its spans.
const known = new Map<string, Resource>()
const knownMost = 200

/** Reads the resource of a group of spans or metrics; `unknown_service` stands for a missing name, as the SDKs have it. */
export function readResource(value: unknown): Resource {
  const read = attributes(fields(value), { left: limits.identityLength, dropped: 0 })
  const key = JSON.stringify(read)
  const before = known.get(key)
  if (before !== undefined) return before
  const resource: Resource = {
    service: cut(textAttribute(read, 'service.name'), limits.nameLength) || 'unknown_service',
    instance: cut(textAttribute(read, 'service.instance.id') || textAttribute(read, 'process.pid'), limits.nameLength),
    attributes: read,
  }
  if (known.size >= knownMost) known.clear()
  known.set(key, resource)
  return resource
}
