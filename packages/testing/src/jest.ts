// Importing this, in a test or in `setupFilesAfterEnv`, adds the matchers to Jest's `expect`, and to the types of @types/jest.
import { matchers, type TelemetryMatchers } from './matchers.ts'

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: the parameters must be those of Jest's own declaration.
    interface Matchers<R, T = {}> extends TelemetryMatchers<R> {}
  }
}

const { expect } = globalThis as { expect?: { extend(matchers: object): void } }
if (expect === undefined) throw new Error('@otel-ws/testing/jest is for tests that Jest runs, with its global expect')
expect.extend(matchers)
