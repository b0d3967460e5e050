import { attribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'

/** Route of a span, or its namespace; empty where it has neither. */
export function routeOf({ attributes }: Span): string {
  const route = attribute(attributes, names.ROUTE) ?? attribute(attributes, names.NAMESPACE)
  return typeof route === 'string' ? route : ''
}

/** Id of the connection that a span belongs to; empty where it says none. */
export function connectionOf({ attributes }: Span): string {
  return textAttribute(attributes, names.CONNECTION_ID)
}
