import type { SpanKind } from '../../src/model.ts'
import type { Operation } from '../../src/store/operation.ts'

/** What a span is, as a small label: its operation, or for the spans of others their kind. */
export function OperationTag({ operation, kind }: { readonly operation: Operation; readonly kind?: SpanKind }) {
  return (
    <span class={`tag ${operation || 'other'}`} title={kind === undefined ? undefined : `Span kind ${kind}`}>
      {operation || kind}
    </span>
  )
}

/** The span's name without the operation that its tag already shows. */
export function shortName(name: string, operation: Operation): string {
  return operation !== '' && name.startsWith(`${operation} `) ? name.slice(operation.length + 1) : name
}
