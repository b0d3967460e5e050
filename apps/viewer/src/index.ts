export type { Viewer, ViewerOptions } from './viewer.ts'
export { startViewer } from './viewer.ts'
