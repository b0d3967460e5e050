import { AssertionError } from 'node:assert'
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
import type { TestTelemetry } from './telemetry.ts'

/**
 * Asserts that a finished span has this name and is as expected.
 *
 * @throws AssertionError with the spans that there are
 */
export function assertSpan(telemetry: TestTelemetry, name: string, expected?: ExpectedSpan): void {
  must(checkSpan(telemetry, name, expected), assertSpan)
}

/** Asserts that a span is a child of another one. */
export function assertChildOf(span: ReadableSpan, parent: SpanReference): void {
  must(checkChildOf(span, parent), assertChildOf)
}

/** Asserts that a span is in the same trace as another one. */
export function assertSameTrace(span: ReadableSpan, other: SpanReference): void {
  must(checkSameTrace(span, other), assertSameTrace)
}

/** Asserts that a span has a link to another one, with these attributes among its own. */
export function assertLinkTo(span: ReadableSpan, target: SpanReference, attributes?: Attributes): void {
  must(checkLinkTo(span, target, attributes), assertLinkTo)
}

/**
 * Asserts the value of an instrument: the sum of its points that have these attributes among their own. Of a histogram it is
 * the number of recorded values.
 */
export async function assertMetricValue(
  telemetry: TestTelemetry,
  name: string,
  value: number,
  attributes?: Attributes,
): Promise<void> {
  must(await checkMetricValue(telemetry, name, value, attributes), assertMetricValue)
}

function must({ pass, message }: CheckResult, stackStartFn: (...args: never[]) => unknown): void {
  if (!pass) throw new AssertionError({ message: message(), stackStartFn: stackStartFn as () => void })
}
