import { ROOT_CONTEXT, type Span } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { ServerOperation } from '../src/context/server-operation.ts'

class Handler extends ServerOperation {
  override get adopts(): boolean {
    return false
  }

  override get owner(): undefined {
    return undefined
  }

  protected override onHandled(): void {}
}

const host = {
  deadlines: { add(): void {}, delete(): void {}, now: () => 1 },
  options: { followPromises: 'async-functions', around: undefined } as const,
  isError: () => true,
  diagnostics: { promiseNotFollowed(): void {}, hookFailed(): void {} },
  sendBatch: { enterRun(): void {}, leaveRun(): void {} },
}

it('ends with the time of the failure, whatever the record of it takes', () => {
  let recordedAt = 0
  const times: unknown[] = []
  const span: Partial<Span> = {
    isRecording: () => true,
    setAttribute: () => span as Span,
    setStatus: () => span as Span,
    spanContext: () => ({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 }),
    recordException(_, time) {
      recordedAt = performance.now()
      times.push(time)
    },
    end: (time) => times.push(time),
  }
  const before = performance.now()
  const fail = () => {
    throw new Error('no such room')
  }
  expect(() => new Handler(host, ROOT_CONTEXT, span as Span, 0).run(fail)).toThrow('no such room')
  const [exception, end] = times
  expect(exception).toBe(end)
  expect(end).toBeGreaterThanOrEqual(before)
  expect(end).toBeLessThanOrEqual(recordedAt)
})
