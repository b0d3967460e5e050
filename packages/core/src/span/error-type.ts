const MAX_TYPE_LENGTH = 64

const assignedTypes = new WeakMap<Error, string>()

/** Sets the `error.type` of an error whose code is not in `error.code`, such as an exception of a framework. */
export function setErrorType(error: Error, type: string): void {
  if (type.length > 0) assignedTypes.set(error, type.slice(0, MAX_TYPE_LENGTH))
}

/** The `error.type` of any value that can be thrown: a string `code`, else the class name, else the type of the value. */
export function errorType(error: unknown): string {
  try {
    if (!(error instanceof Error)) return error === null ? 'null' : typeof error
    const { code } = error as { code?: unknown }
    const isType = typeof code === 'string' && code.length <= MAX_TYPE_LENGTH
    const type = assignedTypes.get(error) || (isType && code) || error.constructor.name || error.name
    return String(type).slice(0, MAX_TYPE_LENGTH) || 'Error'
  } catch {
    return 'Error'
  }
}
