export { type ChatActions, type ChatView, chatView } from './chat-view.ts'
export { act, startPageTelemetry } from './page-sdk.ts'
