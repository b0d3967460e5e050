export { DEFAULT_TIMEOUT as PATIENCE } from '@otel-ws/testing'
