export { type Demo, type DemoSettings, type RunningDemo, runDemo } from './demo.ts'
