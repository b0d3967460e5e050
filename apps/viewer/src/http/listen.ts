import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'

const standardPort = 4318
const loopbackV4 = '127.0.0.1'
const loopbackV6 = '::1'

/** Servers that listen on one port. */
export interface Listening {
  readonly port: number
  readonly servers: readonly Server[]
}

/**
 * Makes servers listen: on the address that is asked for, or without one on both loopback addresses, since `localhost`
 * may lead to either. Without a port it is the standard one, or any that is free where another program has that one.
 * Rejects with the error of `listen` when a port that was asked for cannot be had.
 */
export async function listenOn(
  create: () => Server,
  host: string | undefined,
  port: number | undefined,
): Promise<Listening> {
  const first = create()
  const bound = await listenSomewhere(first, host ?? loopbackV4, port)
  const servers = [first]
  if (host === undefined || host === 'localhost' || host === loopbackV4) {
    const second = create()
    // Without IPv6 on this machine, or where another program has the port there, one address has to do.
    if (await listen(second, loopbackV6, bound).catch(() => 0)) servers.push(second)
  }
  return { port: bound, servers }
}

/** Stops listening and ends what is open. */
export async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }),
  )
}

/** Host of an address for people: where the viewer listens everywhere, that is no address to go to. */
export function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}

async function listenSomewhere(server: Server, host: string, port: number | undefined): Promise<number> {
  if (port !== undefined) return listen(server, host, port)
  try {
    return await listen(server, host, standardPort)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return listen(server, host, 0)
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
