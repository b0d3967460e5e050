import { readFile } from 'node:fs/promises'
import type { HeapProfiler, Profiler } from 'node:inspector'
import { SourceFiles } from './sources.ts'

/** Time or bytes that one function used. */
export interface Share {
  name: string
  /** Package and source file, or `node` and module; empty for a whole package. */
  place: string
  /** µs or bytes. */
  amount: number
}

type CallFrame = Profiler.ProfileNode['callFrame']

function nameOf({ functionName, lineNumber }: CallFrame): string {
  return functionName || `(anonymous, line ${lineNumber + 1})`
}

/** Adds up amounts by function. */
class Shares {
  readonly #sources = new SourceFiles()
  readonly #byFunction = new Map<string, Share>()

  async add(frame: CallFrame, amount: number, suffix = ''): Promise<void> {
    const { url, lineNumber } = frame
    const name = `${nameOf(frame)}${suffix}`
    const key = `${url}:${lineNumber}:${name}`
    const share = this.#byFunction.get(key) ?? { name, place: await this.placeOf(frame), amount: 0 }
    share.amount += amount
    this.#byFunction.set(key, share)
  }

  async placeOf({ url, lineNumber }: CallFrame): Promise<string> {
    return url === '' ? 'engine' : await this.#sources.placeOf(url, lineNumber)
  }

  sorted(): Share[] {
    return bySize(this.#byFunction)
  }
}

/** Time by function of a `.cpuprofile`, most first, without idle time. */
export async function cpuShares(file: string): Promise<{ self: Share[]; withCallees: Share[] }> {
  const profile: Profiler.Profile = JSON.parse(await readFile(file, 'utf8'))
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const callers = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const self = new Shares()
  const withCallees = new Shares()
  for (const [i, id] of (profile.samples ?? []).entries()) {
    // A sample stands for the time up to the next one.
    const time = profile.timeDeltas?.[i + 1] ?? 0
    const { callFrame } = nodes.get(id)!
    if (callFrame.functionName === '(idle)') continue
    await self.add(callFrame, time)
    for (const frame of distinctFrames(id, nodes, callers)) await withCallees.add(frame, time)
  }
  return { self: self.sorted(), withCallees: withCallees.sorted() }
}

/** The functions on a call stack, each once however often it recurs. */
function distinctFrames(
  top: number,
  nodes: ReadonlyMap<number, Profiler.ProfileNode>,
  callers: ReadonlyMap<number, number>,
): Iterable<CallFrame> {
  const frames = new Map<string, CallFrame>()
  for (let id: number | undefined = top; id !== undefined; id = callers.get(id)) {
    const { callFrame } = nodes.get(id)!
    frames.set(`${callFrame.scriptId}:${callFrame.lineNumber}:${callFrame.columnNumber}`, callFrame)
  }
  return frames.values()
}

/** Bytes still held by the function that allocated them, of a `.heapprofile`, most first. Functions of this repository are named as the caller. */
export async function heapShares(file: string): Promise<Share[]> {
  const profile: HeapProfiler.SamplingHeapProfile = JSON.parse(await readFile(file, 'utf8'))
  const shares = new Shares()
  const visit = async (node: HeapProfiler.SamplingHeapProfileNode, caller: string): Promise<void> => {
    const isOwn = (await shares.placeOf(node.callFrame)).startsWith('@otel-ws/')
    if (node.selfSize > 0) await shares.add(node.callFrame, node.selfSize, isOwn ? '' : caller)
    for (const child of node.children) await visit(child, isOwn ? ` < ${nameOf(node.callFrame)}` : caller)
  }
  await visit(profile.head, '')
  return shares.sorted()
}

/** Shares by package: the part of a place before the file. */
export function byPackage(shares: readonly Share[]): Share[] {
  const packages = new Map<string, Share>()
  for (const { place, amount } of shares) {
    const name = place.split(' ', 1)[0]!
    const share = packages.get(name) ?? { name, place: '', amount: 0 }
    share.amount += amount
    packages.set(name, share)
  }
  return bySize(packages)
}

function bySize(shares: ReadonlyMap<string, Share>): Share[] {
  return [...shares.values()].sort((a, b) => b.amount - a.amount)
}
