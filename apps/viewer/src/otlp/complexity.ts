import protobuf from 'protobufjs/light.js'

/** A body whose decoded form would take far more memory than its bytes. */
export class TooComplex extends Error {
  constructor(most: number) {
    super(`the body holds more than ${most} values: export smaller batches`)
    this.name = 'TooComplex'
  }
}

/**
 * Throws `TooComplex` when a protobuf body decodes to more than `most` messages and list elements. An empty message takes
 * two bytes in the body and a hundred once decoded, so the size of a body does not bound the memory it needs.
 */
export function checkProtobuf(type: protobuf.Type, body: Uint8Array, most: number): void {
  let left = most
  const walk = (reader: protobuf.Reader, message: protobuf.Type, end: number, depth: number): void => {
    if (depth > protobuf.Reader.recursionLimit) throw new RangeError('max depth exceeded')
    while (reader.pos < end) {
      const tag = reader.uint32()
      const field = message.fieldsById[tag >>> 3]
      if ((tag & 7) !== 2 || field === undefined) {
        reader.skipType(tag & 7)
        left--
      } else {
        const next = reader.uint32() + reader.pos
        if (next > end) throw new RangeError('index out of range')
        const inner = field.resolve().resolvedType
        // The elements of a packed list take a byte each or more; a text or bytes is one value.
        if (inner instanceof protobuf.Type) walk(reader, inner, next, depth + 1)
        else left -= field.repeated ? next - reader.pos : 0
        reader.pos = next
        left--
      }
      if (left < 0) throw new TooComplex(most)
    }
  }
  const reader = protobuf.Reader.create(body)
  walk(reader, type, reader.len, 0)
}

const brace = '{'.charCodeAt(0)
const bracket = '['.charCodeAt(0)

/** Throws `TooComplex` when a JSON body opens more than `most` objects and lists. */
export function checkJson(body: Uint8Array, most: number): void {
  let left = most
  for (let index = 0; index < body.length; index++) {
    const byte = body[index]
    if ((byte === brace || byte === bracket) && --left < 0) throw new TooComplex(most)
  }
}
