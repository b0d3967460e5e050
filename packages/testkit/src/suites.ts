export { conformanceSuite } from './conformance.ts'
export { eventConformanceSuite } from './events/conformance.ts'
export { leakSuite } from './leaks.ts'
export { transparencySuite } from './transparency.ts'
