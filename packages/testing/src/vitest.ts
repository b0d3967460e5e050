// Importing this adds the matchers to Vitest's `expect`, and to its types.
import { expect } from 'vitest'
import { matchers, type TelemetryMatchers } from './matchers.ts'

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as Vitest declares it.
  interface Matchers<T = any> extends TelemetryMatchers<T> {}
}

expect.extend(matchers)
