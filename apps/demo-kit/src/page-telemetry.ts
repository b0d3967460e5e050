/** Path, beside the page, under which a demo's server tells where the page's telemetry goes. */
export const PAGE_TELEMETRY = '/telemetry.json'

/** What is told there. */
export interface PageTelemetry {
  /** Base URL of an OTLP/HTTP receiver that takes exports of the page; `undefined` when there is none. */
  readonly endpoint?: string | undefined
}
