import { roomDemoSuite } from '@otel-ws/demo-kit/testing'

roomDemoSuite('hono')
