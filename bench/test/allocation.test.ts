import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCountingServers, buildServers } from '../lib/build.ts'
import type { LoadCommands } from '../lib/commands.ts'
import { objectsMade, profileAllocation } from '../lib/measure.ts'
import { startLoad } from '../lib/processes.ts'
import { heapShares } from '../lib/profile.ts'
import type { Remote } from '../lib/remote.ts'

/**
 * The most bytes that the packages may allocate per echoed message when no span is made for it, interpreted, so that no
 * compiler removes any. Lower a figure when less is allocated.
 */
const MOST_BYTES: Readonly<Record<string, number>> = {
  'ws-no-sdk': 136,
  'ws-unsampled-connection': 296,
  'socketio-no-sdk': 744,
  'socketio-unsampled': 936,
}

/** The literals and closures that may be evaluated with every message, by file and text. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'ws-no-sdk': [],
  'ws-unsampled-connection': [],
  'socketio-no-sdk': ['socket.io/src/io-client.ts: { size, binary: !text, text }'],
  'socketio-unsampled': ['socket.io/src/io-client.ts: { size, binary: !text, text }'],
}

const MESSAGES = 500
const servers = Object.keys(MOST_BYTES)
let folder: string
let load: Remote<LoadCommands>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allocation-'))
  await buildServers(servers)
  await buildCountingServers(servers)
  load = startLoad()
})

afterAll(async () => {
  await load.stop()
  await rm(folder, { recursive: true, force: true })
})

describe.each(servers)('a message of %s', (server) => {
  it('makes the packages allocate no byte more than today', async () => {
    const file = join(folder, `${server}.heapprofile`)
    await profileAllocation(process.execPath, server, load, MESSAGES, file)
    const shares = (await heapShares(file)).filter(({ place }) => place.startsWith('@otel-ws/'))
    // An allocation once in a while is less than a byte per message.
    const perMessage = shares.map(({ name, place, amount }) => [`${place} ${name}`, Math.floor(amount / MESSAGES)])
    const bytes: Record<string, number> = Object.fromEntries(perMessage)
    const total = Object.values(bytes).reduce((sum, own) => sum + own, 0)
    expect(total, JSON.stringify(bytes, null, 2)).toBeLessThanOrEqual(MOST_BYTES[server]!)
  })

  it('makes the packages evaluate no literal or closure but these', async () => {
    const made = Object.keys(await objectsMade(process.execPath, server, load, MESSAGES))
    expect(made.filter((place) => !ALLOWED[server]!.includes(place))).toEqual([])
  })
})
