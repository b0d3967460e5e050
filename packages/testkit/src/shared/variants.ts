import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { type Fault, FaultySdk } from '../testing/faulty-sdk.ts'
import { Telemetry } from '../testing/telemetry.ts'

/** Telemetry that an application must not notice. */
export interface Variant {
  readonly sdk: 'none' | 'sampled' | 'not sampled' | Fault
  readonly telemetry: Readonly<Record<string, unknown>>
}

/** The SDK of a variant, to be installed; `undefined` without one. */
export function sdkOf(sdk: Variant['sdk']): Telemetry | FaultySdk | undefined {
  if (sdk === 'none') return undefined
  if (sdk !== 'sampled' && sdk !== 'not sampled') return new FaultySdk(sdk)
  const telemetry = new Telemetry()
  if (sdk === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
  return telemetry
}

export const variants: Readonly<Record<string, Variant>> = {
  'with all messages sampled': { sdk: 'sampled', telemetry: {} },
  'with none sampled': { sdk: 'not sampled', telemetry: {} },
  'without an SDK': { sdk: 'none', telemetry: {} },
  'with an SDK that throws before it does its work': { sdk: 'throws first', telemetry: {} },
  'with an SDK that throws when it has done its work': { sdk: 'throws afterwards', telemetry: {} },
  'with every option on': {
    sdk: 'sampled',
    telemetry: {
      traces: 'connection',
      maxConnectionSpanMessages: 2,
      messageName: '$.type',
      messageSizeMetric: true,
      frames: true,
      closeReason: true,
      sessionId: true,
      messageSampling: 'connection',
      onMessage() {
        throw new Error('a hook of the user that is broken')
      },
    },
  },
}
