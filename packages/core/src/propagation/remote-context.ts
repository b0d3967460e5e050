/** Use of a trace context that a peer sends: parent of the span, link, or nothing. */
export type RemoteContext = 'parent' | 'link' | 'ignore'
