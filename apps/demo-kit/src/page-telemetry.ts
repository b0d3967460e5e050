/** Path, relative to the page, of the JSON with the page's telemetry options. */
export const PAGE_TELEMETRY = '/telemetry.json'

/** Contents of that JSON. */
export interface PageTelemetry {
  /** Base URL of an OTLP/HTTP receiver that takes exports of the page; `undefined` when there is none. */
  readonly endpoint?: string | undefined
}
