import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import {
  type CheckResult,
  checkChildOf,
  checkLinkTo,
  checkMetricValue,
  checkSameTrace,
  checkSpan,
  type ExpectedSpan,
  type SpanReference,
} from './checks.ts'
import { TestTelemetry } from './telemetry.ts'

/** The matchers, as `expect(…)` has them. */
export interface TelemetryMatchers<R = unknown> {
  /** Of a `TestTelemetry`: a finished span has this name and is as expected. */
  toHaveSpan(name: string, expected?: ExpectedSpan): R
  /** Of a span: it is a child of another one. */
  toBeChildOf(parent: SpanReference): R
  /** Of a span: it is in the same trace as another one. */
  toBeInTraceOf(other: SpanReference): R
  /** Of a span: it has a link to another one, with these attributes among its own. */
  toHaveLinkTo(target: SpanReference, attributes?: Attributes): R
  /**
   * Of a `TestTelemetry`: the sum of the points of an instrument that have these attributes among their own. Of a histogram
   * it is the number of recorded values. Await it.
   */
  toHaveMetricValue(name: string, value: number, attributes?: Attributes): Promise<R>
}

/** Matchers for `expect.extend` of Vitest and Jest. */
export const matchers = {
  toHaveSpan: (received: unknown, name: string, expected?: ExpectedSpan): CheckResult =>
    checkSpan(telemetryOf(received), name, expected),
  toBeChildOf: (received: unknown, parent: SpanReference): CheckResult => checkChildOf(spanOf(received), parent),
  toBeInTraceOf: (received: unknown, other: SpanReference): CheckResult => checkSameTrace(spanOf(received), other),
  toHaveLinkTo: (received: unknown, target: SpanReference, attributes?: Attributes): CheckResult =>
    checkLinkTo(spanOf(received), target, attributes),
  toHaveMetricValue: (received: unknown, name: string, value: number, attributes?: Attributes): Promise<CheckResult> =>
    checkMetricValue(telemetryOf(received), name, value, attributes),
}

function telemetryOf(received: unknown): TestTelemetry {
  if (received instanceof TestTelemetry) return received
  throw new TypeError('this matcher is for a TestTelemetry')
}

function spanOf(received: unknown): ReadableSpan {
  if (typeof (received as ReadableSpan | undefined)?.spanContext === 'function') return received as ReadableSpan
  throw new TypeError('this matcher is for a finished span, such as that of waitForSpan(): is an await missing?')
}
