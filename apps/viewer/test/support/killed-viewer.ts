import { startViewer } from '../../src/index.ts'

// A viewer in a process of its own, which a test kills: `killed-viewer.ts <store file>` sends its parent its address.
const viewer = await startViewer({ port: 0, storeFile: process.argv[2] ?? '' })
process.send?.(viewer.url)
