import { chatPageSuite } from '@otel-ws/demo-kit/testing'
import { startChatServer } from '../src/server.ts'

chatPageSuite((endpoint) => startChatServer({ node: 'node-1', port: 0, page: { endpoint }, warn: () => {} }))
