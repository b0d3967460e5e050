import { setTimeout as delay } from 'node:timers/promises'
import { traceHeaders, traceWebSocket } from '@otel-ws/client'
import { nameOf, pause, simulateUsers, type Users } from '@otel-ws/demo-kit'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

/** A socket of `ws` whose connect, messages and operations are traced. */
class TracedWebSocket extends WebSocket {
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols, { headers: traceHeaders(url) })
    traceWebSocket(this as unknown as globalThis.WebSocket, { route: '/graphql' })
  }
}

/** Starts users that order, watch prices, and lose patience. */
export function startUsers(url: string, count: number): Users {
  return simulateUsers({
    place: `${url.replace(/^http/, 'ws')}/graphql`,
    count,
    resident: shop,
    strangers: [{ visit: losePatience, after: 500, every: 2_000 }],
  })
}

function connect(url: string, user: string): Client {
  return createClient({
    url,
    webSocketImpl: TracedWebSocket,
    lazyCloseTimeout: 5_000,
    retryAttempts: 0,
    connectionParams: { user },
  })
}

/** Closes the connection and waits until it is closed. */
async function leave(client: Client): Promise<void> {
  const closed = new Promise<void>((resolve) => client.on('closed', () => resolve()))
  await client.dispose()
  await Promise.race([closed, delay(1_000)])
}

/** Runs an operation to its end, or until `enough` says so. */
function run(client: Client, query: string, enough: (results: number) => boolean = () => false): Promise<void> {
  return new Promise((resolve) => {
    let results = 0
    const cancel = client.subscribe(
      { query },
      {
        next: () => {
          if (enough(++results)) cancel()
        },
        error: () => resolve(),
        complete: resolve,
      },
    )
  })
}

async function shop(url: string, stop: AbortSignal, index: number): Promise<void> {
  const client = connect(url, nameOf(index))
  const prices = run(client, 'subscription Prices { prices }', () => stop.aborted)
  await pause(index * 150, stop)
  for (let turn = index; !stop.aborted; turn++) {
    if (turn % 4 === 1) await run(client, 'query Report { report }')
    else if (turn % 4 === 2) await run(client, `mutation PlaceOrder { placeOrder(total: ${turn}) { id } }`)
    else if (turn % 4 === 3) await run(client, 'query Stock { stock(id: "1") }')
    else await run(client, `query GetOrder { order(id: "${turn}") { id total } }`)
    await pause(400, stop)
  }
  await prices
  await leave(client)
}

/** Asks for a report, and gives up before it is there. */
async function losePatience(url: string, stop: AbortSignal): Promise<void> {
  const client = connect(url, 'hasty')
  await new Promise<void>((resolve) => {
    const cancel = client.subscribe({ query: 'query Report { report }' }, { next() {}, error() {}, complete: resolve })
    pause(100, stop).then(cancel)
  })
  await pause(50, stop)
  await leave(client)
}
