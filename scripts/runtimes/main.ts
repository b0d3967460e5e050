// Runs the checks on the runtime that executes this file, and prints the outcomes as JSON: `bun scripts/runtimes/main.ts`.
import { type EventHarness, type Harness, Telemetry } from '@otel-ws/testkit'
import { nativeHarness } from '../../packages/crossws/test/native-harness.ts'
import { harnesses as fastify } from '../../packages/fastify/test/harness.ts'
import { eventHarnesses as socketIo } from '../../packages/socket.io/test/harness.ts'
import { harnesses as ws } from '../../packages/ws/test/harness.ts'
import { checks, eventChecks } from './checks.ts'

/** Milliseconds that one check may take. */
const LIMIT = 10_000

/** Outcomes of a host by the names of the checks: `ok`, or how the check failed. */
type Outcomes = Record<string, string>

interface Closing {
  close(): Promise<void>
}

// Checks fail handlers on purpose.
process.on('unhandledRejection', () => {})

async function outcome(check: (telemetry: Telemetry, keep: <H extends Closing>(host: H) => H) => Promise<void>) {
  const telemetry = new Telemetry()
  telemetry.install()
  const hosts: Closing[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${LIMIT} ms`)), LIMIT)
    })
    const done = check(telemetry, (host) => {
      hosts.push(host)
      return host
    })
    await Promise.race([done, limit])
    for (const host of hosts.splice(0)) await host.close()
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of all spans')
    return 'ok'
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
    for (const host of hosts) await host.close().catch(() => {})
    await telemetry.uninstall().catch(() => {})
  }
}

async function outcomesOf(harness: Harness): Promise<Outcomes> {
  const outcomes: Outcomes = {}
  for (const [name, check] of Object.entries(checks)) {
    outcomes[name] = await outcome((telemetry, keep) =>
      check({
        telemetry,
        route: harness.route,
        serve: async (options) => keep(await harness.start({ telemetry: {}, connection() {}, ...options })),
      }),
    )
  }
  return outcomes
}

async function outcomesOfEvents(harness: EventHarness): Promise<Outcomes> {
  const outcomes: Outcomes = {}
  for (const [name, check] of Object.entries(eventChecks)) {
    outcomes[name] = await outcome((telemetry, keep) =>
      check({
        telemetry,
        harness,
        serve: async (options) => keep(await harness.start({ telemetry: {}, ...options })),
      }),
    )
  }
  return outcomes
}

const results: Record<string, Outcomes> = {}
for (const harness of [ws[0], fastify[0], nativeHarness]) {
  if (harness !== undefined) results[harness.name] = await outcomesOf(harness)
}
for (const harness of socketIo.slice(0, 1)) results[harness.name] = await outcomesOfEvents(harness)
process.stdout.write(`\n${JSON.stringify(results)}\n`, () => process.exit(0))
