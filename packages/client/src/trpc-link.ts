import { rememberCaller } from '@otel-ws/core/client'

/** The members of an operation of tRPC that are used. */
interface TrpcOperation {
  readonly id: number
  readonly path: string
}

/**
 * A link for a tRPC client, in front of `wsLink`: `links: [traceTrpcLink(), wsLink({ client })]`. tRPC sends later than a
 * procedure is called, and several at once, so without it the spans of calls made together have no parent.
 */
export function traceTrpcLink(): (
  runtime: unknown,
) => <Result>(call: { readonly op: TrpcOperation; next(op: never): Result }) => Result {
  return () =>
    ({ op, next }) => {
      rememberCaller(op.id, op.path)
      return next(op as never)
    }
}
