import { type Resource, textAttribute } from '../model.ts'
import { attributes, fields } from './values.ts'

/** Reads the resource of a group of spans or metrics; `unknown_service` stands for a missing name, as the SDKs have it. */
export function readResource(value: unknown): Resource {
  const read = attributes(fields(value))
  return {
    service: textAttribute(read, 'service.name') || 'unknown_service',
    instance: textAttribute(read, 'service.instance.id') || textAttribute(read, 'process.pid'),
    attributes: read,
  }
}
