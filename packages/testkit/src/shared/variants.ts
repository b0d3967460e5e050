import type { Fault } from '../testing/faulty-sdk.ts'

/** Telemetry that an application must not notice. */
export interface Variant {
  readonly sdk: 'none' | 'sampled' | 'not sampled' | Fault
  readonly telemetry: Readonly<Record<string, unknown>>
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
