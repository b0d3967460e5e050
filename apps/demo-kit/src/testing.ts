export { ChatPages, chatPageSuite, type PageServer } from './testing/chat-page-suite.ts'
export { DemoProcess, type Row } from './testing/demo-process.ts'
export { roomDemoSuite } from './testing/room-demo-suite.ts'
export { expectPairedKinds } from './testing/service-graph.ts'
export { type OtlpSpan, SpanReceiver } from './testing/span-receiver.ts'
export {
  expectNothingLost,
  expectPlainLines,
  expectPortTaken,
  interrupt,
  type StartDemo,
  useDemo,
} from './testing/use-demo.ts'
