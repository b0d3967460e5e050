export { type ApplicationTracer, type TracedApplication, traceScanner } from './scanner.ts'
