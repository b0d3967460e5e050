import { OTHER } from '../schema.ts'
import { parsePath } from './message-reader.ts'
import { defineProtocol, type Protocol, type ProtocolRecord } from './protocol.ts'

/** A home-made request/response format: where its members are. Paths are `$.id`, `$.payload.action`, `$[2]`. */
export interface JsonOperations {
  /** Path of the correlation id. */
  readonly id: string
  /** Path of the name, such as the type of a message. */
  readonly name: string
  /** Path of an error: a message counts as failed if it is there and neither `null` nor `false`. Default: none fails. */
  readonly error?: string
  /** Values at `name` of the messages that are items of an answer. */
  readonly item?: string | readonly string[]
  /** Values at `name` of the messages that end an answer of several items. */
  readonly end?: string | readonly string[]
  /** Values at `name` of the messages that cancel an operation. */
  readonly cancel?: string | readonly string[]
  /** Values at `name` of the messages that are one-way although they have an id. */
  readonly event?: string | readonly string[]
  /** Values at `name` of the messages that authenticate: no hook sees them, and they have no span. */
  readonly auth?: string | readonly string[]
  /** Value of `websocket.protocol`. Default `json`. */
  readonly protocol?: string
}

const MEMBERS = ['id', 'name', 'error', 'item', 'end', 'cancel', 'event', 'auth', 'protocol']

/**
 * A protocol for JSON messages with a correlation id, for option `protocol`. A message is a response if the other end has
 * asked with its id and that operation is open, else a request; one without an id is an event.
 *
 * @throws TypeError that names the member that is wrong
 */
export function jsonOperations(format: JsonOperations): Protocol {
  for (const member of Object.keys(format)) {
    if (!MEMBERS.includes(member)) throw new TypeError(`jsonOperations has no member ${member}`)
  }
  for (const member of ['id', 'name', 'error'] as const) {
    const path = format[member]
    if (path === undefined && member === 'error') continue
    if (typeof path !== 'string') throw new TypeError(`jsonOperations needs a path in member ${member}`)
    parsePath(path)
  }
  const { id: idPath, name: namePath, error: errorPath } = format
  const { item, end, cancel, event, auth } = format
  const [items, ends, cancels, events, auths] = [item, end, cancel, event, auth].map(values)
  return defineProtocol({
    name: format.protocol ?? 'json',
    read(message, state): ProtocolRecord | undefined {
      const name = message.text(namePath)
      const id = message.id(idPath)
      if (name !== undefined) {
        if (auths?.has(name)) return { kind: 'control', secret: true }
        if (events?.has(name)) return { kind: 'event', name }
        if (cancels?.has(name)) return { kind: 'cancel', id }
        if (items?.has(name)) return { kind: 'item', id, failed: failed() }
        if (ends?.has(name)) return { kind: 'complete', id, failed: failed() }
      }
      if (id === undefined) return name === undefined ? undefined : { kind: 'event', name }
      if (state.isOpen(id)) return { kind: 'response', id, failed: failed() }
      // Of a long message the name may lie outside of the part that is read.
      const known = name ?? (message.has(namePath) === undefined ? OTHER : undefined)
      return known === undefined ? undefined : { kind: 'request', id, name: known, type: 'call' }

      function failed(): boolean | undefined {
        return errorPath === undefined ? false : message.has(errorPath)
      }
    },
  })
}

function values(value: string | readonly string[] | undefined): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set(typeof value === 'string' ? [value] : value)
}

/**
 * The format that a variable describes: `json id=$.id name=$.type error=$.error item=chunk,delta end=done`.
 *
 * @returns `undefined` for a text that describes none
 */
export function parseJsonOperations(text: string): Protocol | undefined {
  const [kind, ...settings] = text.trim().split(/\s+/)
  if (kind !== 'json') return undefined
  const format: Record<string, string | string[]> = {}
  for (const setting of settings) {
    const at = setting.indexOf('=')
    if (at < 1) return undefined
    const [member, value] = [setting.slice(0, at), setting.slice(at + 1)]
    format[member] = value.includes(',') ? value.split(',') : value
  }
  try {
    return jsonOperations(format as unknown as JsonOperations)
  } catch {
    return undefined
  }
}
