import { describe } from 'vitest'
import { broadcastTests } from './conformance/broadcast.ts'
import { closeTests } from './conformance/close.ts'
import { connectionTests } from './conformance/connection.ts'
import { errorTests } from './conformance/errors.ts'
import { handshakeTests } from './conformance/handshake.ts'
import { heartbeatTests } from './conformance/heartbeat.ts'
import { hookTests } from './conformance/hooks.ts'
import { metricTests } from './conformance/metrics.ts'
import { namingTests } from './conformance/naming.ts'
import { negotiationTests } from './conformance/negotiation.ts'
import { openTests } from './conformance/open.ts'
import { processTests } from './conformance/process.ts'
import { propagationTests } from './conformance/propagation.ts'
import { samplingTests } from './conformance/sampling.ts'
import { sendTests } from './conformance/send.ts'
import { shapeTests } from './conformance/shapes.ts'
import { useFixture } from './fixture.ts'
import type { Harness } from './harness.ts'

/** Declares the tests of everything that the schema promises, for one adapter and host. */
export function conformanceSuite(harness: Harness): void {
  describe(`conformance of ${harness.name}`, () => {
    const fixture = useFixture(harness)
    const parts = [
      handshakeTests,
      openTests,
      processTests,
      errorTests,
      sendTests,
      broadcastTests,
      closeTests,
      shapeTests,
      metricTests,
      samplingTests,
      namingTests,
      hookTests,
      connectionTests,
      heartbeatTests,
      negotiationTests,
      propagationTests,
    ]
    for (const part of parts) part(harness, fixture)
  })
}
