/** What a client speaks whose first bytes are no HTTP/1 request; undefined where that cannot be said. */
export function foreignProtocol(firstBytes: Buffer | undefined): string | undefined {
  if (firstBytes === undefined) return undefined
  if (firstBytes.subarray(0, 16).toString('latin1') === 'PRI * HTTP/2.0\r\n') {
    return 'gRPC (HTTP/2) on the HTTP port: use the gRPC port, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf'
  }
  // The first record of a TLS handshake.
  if (firstBytes[0] === 0x16 && firstBytes[1] === 0x03) return 'TLS on the HTTP port: use http://, not https://'
  return undefined
}
