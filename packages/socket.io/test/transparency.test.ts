import { eventTransparencySuite, sameTranscripts } from '@otel-ws/testkit/suites'
import { describe } from 'vitest'
import { eventHarnesses } from './harness.ts'
import { runScript, scripts } from './scripts.ts'

for (const harness of eventHarnesses) eventTransparencySuite(harness)

describe('transparency of Socket.IO by hand', () => {
  sameTranscripts(
    Object.fromEntries(
      Object.entries(scripts).map(([name, script]) => [
        name,
        async (telemetry) => [...(await runScript(script, telemetry))],
      ]),
    ),
  )
})
