import { setTimeout as delay } from 'node:timers/promises'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { buildSchema, GraphQLError, type GraphQLSchema } from 'graphql'

/** Milliseconds that a report takes. */
export const REPORT_TIME = 250

/** Milliseconds between two prices. */
const PRICE_INTERVAL = 200

const tracer = trace.getTracer('graphql-orders')

export const schema: GraphQLSchema = buildSchema(`
  type Order { id: ID! total: Int! }
  type Query {
    order(id: ID!): Order
    "Takes its time."
    report: Int
    "Fails: the warehouse does not answer."
    stock(id: ID!): Int
  }
  type Mutation { placeOrder(total: Int!): Order }
  type Subscription { prices: Int }
`)

/** Work with a span of the application's own. */
async function query<T>(name: string, time: number, result: () => T): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      await delay(time)
      return result()
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

let orders = 0

export const roots = {
  query: {
    order: ({ id }: { id: string }) => query('SELECT orders', 5, () => ({ id, total: 42 })),
    report: () => query('SELECT report', REPORT_TIME, () => orders),
    stock: () =>
      query('GET warehouse', 20, () => {
        throw new GraphQLError('the warehouse does not answer', { extensions: { code: 'WAREHOUSE_DOWN' } })
      }),
  },
  mutation: {
    placeOrder: ({ total }: { total: number }) => query('INSERT orders', 10, () => ({ id: String(++orders), total })),
  },
  subscription: {
    async *prices() {
      for (let price = 100; ; price++) {
        yield { prices: price }
        await delay(PRICE_INTERVAL)
      }
    },
  },
}
