import { createContext, runInContext } from 'node:vm'
import { bundle } from './bundle.ts'
import type { Published } from './tarballs.ts'

/** The globals that core may use: those that browsers and Node have in common. */
const PLATFORM = {
  crypto,
  performance,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  TextEncoder,
  TextDecoder,
  URL,
}

/** Throws unless a package bundles for browsers without any import and its code loads where there is nothing of Node. */
export async function checkBrowser(project: string, published: Published): Promise<void> {
  const code = await bundle(project, published, { platform: 'browser', alone: false })
  if (/\bnode:|\brequire\(|\bimport\b/.test(code)) throw new Error(`the browser bundle of ${published.name} imports`)
  const sandbox: { doors?: Record<string, unknown>[] } & typeof PLATFORM = { ...PLATFORM }
  runInContext(code, createContext(sandbox))
  const names = (sandbox.doors ?? []).flatMap((door) => Object.keys(door))
  if (names.length === 0) throw new Error(`the browser bundle of ${published.name} exports nothing`)
}
