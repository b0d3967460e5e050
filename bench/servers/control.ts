import { writeFile } from 'node:fs/promises'
import type { HeapProfiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { ServerCommands, SpanShape } from '../lib/commands.ts'
import { answerParent } from '../lib/remote.ts'
import type { Sdk } from './sdk.ts'

const COLLECTIONS = 5
const SAMPLING_INTERVAL_US = 200
const SAMPLING_INTERVAL_BYTES = 256

/** Puts a listening server under the control of the process that started it. */
export function control(port: Promise<number>, sdk?: Sdk): void {
  const session = new Session()
  let collections = 0
  new PerformanceObserver((list) => {
    collections += list.getEntries().length
  }).observe({ entryTypes: ['gc'] })

  async function settledHeap(): Promise<void> {
    await sdk?.flush()
    // Finalizers and the http server's own clean-up run between collections.
    for (let i = 0; i < COLLECTIONS; i++) {
      global.gc?.()
      await setImmediate()
    }
  }

  answerParent<ServerCommands>({
    port: () => port,
    async mark() {
      await sdk?.flush()
      const { user, system } = process.cpuUsage()
      return { cpu: user + system, exported: sdk?.exporter.count ?? 0 }
    },
    async heap() {
      await settledHeap()
      return process.memoryUsage().heapUsed
    },
    async allocated() {
      return { bytes: process.memoryUsage().heapUsed, collections }
    },
    async keepSpans() {
      if (sdk) sdk.exporter.kept = []
    },
    async keptSpans() {
      await sdk?.flush()
      const spans = sdk?.exporter.kept ?? []
      return spans.filter(({ name }) => /^(process|send) /.test(name)).map(shapeOf)
    },
    async startCpuProfile() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
      await session.post('Profiler.start')
    },
    async stopCpuProfile(file) {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      await writeFile(file, JSON.stringify(profile))
    },
    async startHeapProfile(which) {
      const all = which === 'all'
      session.connect()
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: all ? 1 : SAMPLING_INTERVAL_BYTES,
        includeObjectsCollectedByMajorGC: all,
        includeObjectsCollectedByMinorGC: all,
      } as HeapProfiler.StartSamplingParameterType)
    },
    async stopHeapProfile(file) {
      await settledHeap()
      const { profile } = await session.post('HeapProfiler.stopSampling')
      session.disconnect()
      await writeFile(file, JSON.stringify(profile))
    },
    async madeObjects() {
      return (globalThis as { madeObjects?: Record<string, number> }).madeObjects ?? {}
    },
  })
}

function shapeOf(span: ReadableSpan): SpanShape {
  return {
    name: span.name,
    kind: span.kind,
    attributes: Object.keys(span.attributes).sort(),
    links: span.links.map((link) => Object.keys(link.attributes ?? {})),
    hasParent: span.parentSpanContext !== undefined,
  }
}
