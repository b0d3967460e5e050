/** Values as they can be compared across two runs. */
export function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString('hex')}`
  if (value instanceof ArrayBuffer) return `array buffer ${Buffer.from(value).toString('hex')}`
  if (value instanceof Error) return { error: value.constructor.name, message: value.message, code: codeOf(value) }
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'symbol') return value.toString()
  if (Array.isArray(value)) return value.map(plain)
  if (isPlainObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  return value
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code
}
