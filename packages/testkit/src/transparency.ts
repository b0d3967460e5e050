import { afterEach, describe, expect, it } from 'vitest'
import type { Harness } from './harness.ts'
import { Telemetry } from './telemetry.ts'
import { sameTranscripts } from './transparency/compare.ts'
import { contextScripts } from './transparency/context.ts'
import { errorScripts } from './transparency/errors.ts'
import { listenerScripts } from './transparency/listeners.ts'
import { processScripts, runInProcess } from './transparency/process.ts'
import { serverHookScripts } from './transparency/server-hooks.ts'
import { type Script, Stage } from './transparency/stage.ts'
import { wireScripts } from './transparency/wire.ts'

/** Declares that every script gives the same transcript with telemetry as without, for one adapter and host. */
export function transparencySuite(harness: Harness): void {
  const scripts: Record<string, Script> = {
    ...wireScripts,
    ...listenerScripts,
    ...errorScripts,
    ...contextScripts,
    ...(harness.capabilities.serverHooks ? serverHookScripts : {}),
  }

  describe(`transparency of ${harness.name}`, () => {
    let installed: Telemetry | undefined

    afterEach(async () => {
      await installed?.uninstall()
      installed = undefined
    })

    sameTranscripts(
      Object.fromEntries(
        Object.entries(scripts).map(([name, script]) => [name, (telemetry) => run(harness, script, telemetry)]),
      ),
    )

    const agreeable = { ...listenerScripts, ...errorScripts, ...contextScripts }
    describe('with clients that have agreed to context in messages', () => {
      it.each(Object.keys(agreeable))('does not change %s', async (name) => {
        const script = agreeable[name] as Script
        const asking = { 'otel-ws': '1' }
        installed = new Telemetry()
        installed.install()
        const bare = await run(harness, script, undefined, asking)
        installed.forget()
        expect(withoutAnswer(await run(harness, script, {}, asking))).toEqual(bare)
        expect(installed.openSpans()).toEqual([])
        expect(installed.spans().length).toBeGreaterThan(0)
      })
    })

    const { module } = harness
    if (module === undefined) return
    describe('in a process of its own', () => {
      const handled = harness.capabilities.handlerErrors === 'handled'
      it.each(processScripts.filter((script) => !(handled && script === 'an unhandled error event')))(
        'does not change how it ends when %s',
        async (script) => {
          const bare = await runInProcess(module, script, 'none')
          expect(bare.stdout).toContain('exit')
          expect(await runInProcess(module, script, 'sampled')).toEqual(bare)
          expect(await runInProcess(module, script, 'no SDK')).toEqual(bare)
        },
      )
    })
  })
}

async function run(
  harness: Harness,
  script: Script,
  telemetry: Readonly<Record<string, unknown>> | undefined,
  headers?: Readonly<Record<string, string>>,
): Promise<unknown[]> {
  const stage = new Stage(harness, telemetry, headers)
  try {
    await script(stage)
  } finally {
    await stage.clear()
  }
  return stage.transcript
}

/** The header of a 101 that agrees, in the bytes of a transcript: the one thing that these clients are told besides. */
const ANSWER = new RegExp(`${Buffer.from('otel-ws: 1; id=').toString('hex')}[0-9a-f]{32}0d0a`)

function withoutAnswer(entry: unknown): unknown {
  if (Array.isArray(entry)) return entry.map(withoutAnswer)
  return typeof entry === 'string' ? entry.replace(ANSWER, '') : entry
}
