/** How one option is validated, read from its variable and defaulted. `T` is its value after validation. */
export interface Spec<T> {
  /** The values that it accepts, for the options reference. */
  readonly type: string
  /** Returns what is wrong with a value and what it is, as the end of a sentence that starts with the option's name. */
  readonly check: (value: unknown) => string | undefined
  /** Reads the text of its variable `OTEL_WS_*`. Options without it have no variable. */
  readonly fromText?: (text: string) => unknown
  /** Value if neither the option nor its variable is set. */
  readonly fallback: T
}

const asText = (text: string): string => text

/** An option of type boolean. */
export function boolean(fallback: boolean): Spec<boolean> {
  return {
    type: 'boolean',
    check: (value) => (typeof value === 'boolean' ? undefined : mustBe('true or false', value)),
    fromText: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : text),
    fallback,
  }
}

/** An option with a few values. */
export function choice<T extends string>(values: readonly T[], fallback: NoInfer<T>): Spec<T> {
  return {
    type: quoteList(values, ' | '),
    check: (value) => (values.includes(value as T) ? undefined : mustBe(`one of ${quoteList(values, ', ')}`, value)),
    fromText: asText,
    fallback,
  }
}

/** A number that `isValid` accepts. */
export function number<T extends number | undefined>(
  type: string,
  isValid: (value: number) => boolean,
  fallback: T,
): Spec<T | number> {
  return {
    type,
    check: (value) => (typeof value === 'number' && isValid(value) ? undefined : mustBe(type, value)),
    fromText: (text) => (text.trim() === '' ? Number.NaN : Number(text)),
    fallback,
  }
}

export function positiveInteger(fallback: number): Spec<number> {
  return number('a whole number of 1 or more', (value) => Number.isSafeInteger(value) && value >= 1, fallback)
}

/** A time that a timer of Node can wait. */
export function milliseconds<T extends number | undefined>(fallback: T): Spec<T | number> {
  return number(
    'a number of milliseconds from 1 to 2147483647',
    (value) => value >= 1 && value <= 2_147_483_647,
    fallback,
  )
}

/** A function of the application's. */
export function hook<T>(): Spec<T | undefined> {
  return {
    type: 'function',
    check: (value) => (typeof value === 'function' ? undefined : mustBe('a function', value)),
    fallback: undefined,
  }
}

/** A list, in a variable separated by commas. */
export function list<T>(
  isItem: (value: unknown) => boolean,
  items: string,
  fallback: readonly T[],
  fromText: (text: string) => unknown = asText,
): Spec<readonly T[]> {
  const type = `a list of ${items}`
  return {
    type,
    check: (value) => {
      if (!Array.isArray(value)) return mustBe(type, value)
      const index = value.findIndex((item) => !isItem(item))
      return index === -1 ? undefined : `must be ${type}; item ${index} is ${describeValue(value[index])}`
    },
    fromText: (text) => splitList(text).map(fromText),
    fallback,
  }
}

/** An OpenTelemetry provider with this method. */
export function provider<T>(method: string): Spec<T | undefined> {
  return {
    type: `an object with a method ${method}()`,
    check: (value) =>
      typeof (value as Record<string, unknown> | null)?.[method] === 'function'
        ? undefined
        : `must have a method ${method}(); got ${describeValue(value)}`,
    fallback: undefined,
  }
}

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

export const isPattern = (value: unknown): boolean => isText(value) || value instanceof RegExp

/** The items of a list in a variable. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export function quoteList(values: readonly string[], separator: string): string {
  return values.map((value) => `'${value}'`).join(separator)
}

/** Says what an option takes and what it was given. */
export function mustBe(expected: string, value: unknown): string {
  return `must be ${expected}; got ${describeValue(value)}`
}

/** A value as error messages show it: short, and without the content of objects. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
