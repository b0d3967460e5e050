/** An offer of context in messages in a header. The clients of the testkit put the key of their request for `<key>`. */
export const HEADER_OFFER = '1; key=<key>'

/** An offer of context in messages in the query. The clients of the testkit put the host that they dial for `<host>`. */
export const QUERY_OFFER = '?otel-ws=1;host=<host>'

/** The message with which a client confirms the hello message of the server. */
export const CONFIRMATION = '{"_otel":{"v":1}}'

/** A URL whose offer is completed. */
export function completeUrl(url: string): string {
  return url.replace('<host>', encodeURIComponent(new URL(url).host))
}
