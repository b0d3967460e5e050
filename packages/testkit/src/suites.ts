export { conformanceSuite } from './conformance.ts'
