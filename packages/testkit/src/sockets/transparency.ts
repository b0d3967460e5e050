import { afterEach, describe, expect, it } from 'vitest'
import { lateEntries } from '../shared/late-entries.ts'
import { sameTranscripts } from '../shared/same-transcripts.ts'
import { HEADER_OFFER } from '../testing/offer.ts'
import { Telemetry } from '../testing/telemetry.ts'
import type { Harness } from './harness.ts'
import { closeScripts } from './transparency/closes.ts'
import { contextScripts } from './transparency/context.ts'
import { handlerScripts, thrownScripts } from './transparency/handlers.ts'
import { processScripts, runInProcess } from './transparency/process.ts'
import { type Script, Stage } from './transparency/stage.ts'
import { refusalScripts, wireScripts } from './transparency/wire.ts'
import { wsContextScripts } from './transparency/ws/context.ts'
import { emitScripts } from './transparency/ws/emits.ts'
import { wsErrorScripts } from './transparency/ws/errors.ts'
import { faceScripts } from './transparency/ws/faces.ts'
import { listenerScripts } from './transparency/ws/listeners.ts'
import { serverHookScripts } from './transparency/ws/server-hooks.ts'
import { wsWireScripts } from './transparency/ws/wire.ts'
import { wsScripts } from './transparency/ws-stage.ts'

/** Declares that every script gives the same transcript with telemetry as without, for one adapter and host. */
export function transparencySuite(harness: Harness): void {
  const { capabilities, module } = harness
  /** Scripts that see what agreement to context in messages changes, if it changes anything: all but those of bytes. */
  const handlers: Record<string, Script> = {
    ...thrownScripts(capabilities.connectionErrors === 'caught'),
    ...handlerScripts,
    ...contextScripts,
    ...(capabilities.ws &&
      wsScripts({ ...listenerScripts, ...emitScripts, ...faceScripts, ...wsErrorScripts, ...wsContextScripts })),
  }
  const scripts: Record<string, Script> = {
    ...wireScripts,
    ...(capabilities.seesAnswers && refusalScripts),
    ...closeScripts,
    ...handlers,
    ...(capabilities.ws && wsScripts({ ...wsWireScripts, ...serverHookScripts })),
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

    describe('with clients that have agreed to context in messages', () => {
      it.each(Object.keys(handlers))('does not change %s', async (name) => {
        const script = handlers[name] as Script
        const offer = { 'otel-ws': HEADER_OFFER }
        installed = new Telemetry()
        installed.install()
        const bare = await run(harness, script, undefined, offer)
        installed.forget()
        const traced = await run(harness, script, {}, offer)
        await lateEntries(traced, bare)
        expect(withoutAgreement(traced)).toEqual(bare)
        expect(installed.openSpans()).toEqual([])
        expect(installed.spans().length).toBeGreaterThan(0)
      })
    })

    if (module === undefined) return
    describe('in a process of its own', () => {
      // A host that handles errors listens to the error event itself.
      const emitsErrors = capabilities.ws && capabilities.connectionErrors === 'crash'
      it.each(processScripts.filter((script) => script !== 'an unhandled error event' || emitsErrors))(
        'does not change how it ends when %s',
        async (script) => {
          const bare = await runInProcess(module, script, 'none')
          expect(bare.stdout).toContain('exit')
          if (bare.error !== undefined) expect(bare.frames.length).toBeGreaterThan(0)
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

/** The header of a 101 that agrees, in the bytes of a transcript: all that these clients are sent in addition. */
const AGREEMENT = new RegExp(`${Buffer.from('otel-ws: 1; id=').toString('hex')}[0-9a-f]{32}0d0a`)

function withoutAgreement(entry: unknown): unknown {
  if (Array.isArray(entry)) return entry.map(withoutAgreement)
  return typeof entry === 'string' ? entry.replace(AGREEMENT, '') : entry
}
