import { randomUUID } from 'node:crypto'
import msgpack from 'socket.io-msgpack-parser'
import { describe, expect, it } from 'vitest'
import { connected, joinWith, type Node, startNode } from './nodes.ts'
import { useRedis } from './redis.ts'

const adapters = useRedis()

const parsers = {
  default: { options: {}, hello: '40' as string | Buffer },
  // {"type":0,"nsp":"/"} as the parser packs it.
  msgpack: {
    options: { parser: msgpack },
    hello: (new msgpack.Encoder().encode({ type: 0, nsp: '/' }) as unknown as [Buffer])[0],
  },
}

/** Everything that two nodes send to a client of each, byte for byte, while the first of them broadcasts. */
async function transcript(
  make: (typeof adapters)[number][1],
  parser: keyof typeof parsers,
  traced: readonly [boolean, boolean],
): Promise<string[][]> {
  const key = `wire-${randomUUID()}`
  const { options, hello } = parsers[parser]
  const nodes: Node[] = []
  for (const each of traced) {
    nodes.push(await startNode({ adapter: make(key), traced: each, ...options }))
  }
  await connected(nodes, hello)
  const [first] = nodes as [Node, Node]
  const listeners = await Promise.all(nodes.map((node) => joinWith(hello, node, ['room'])))
  const frames: string[][] = nodes.map(() => [])
  const take = async (count: number): Promise<void> => {
    for (const [index, listener] of listeners.entries()) {
      for (let i = 0; i < count; i++) {
        const { data, binary } = await listener.nextMessage()
        frames[index]?.push(binary ? data.toString('hex') : data.toString())
      }
    }
  }
  first.io.emit('said', 'hello', { deep: [1, null] })
  await take(1)
  first.io.to('room').except('nobody').compress(false).emit('told')
  await take(1)
  first.io.emit('picture', Buffer.from('abc'))
  await take(parser === 'default' ? 2 : 1)
  await first.io
    .timeout(200)
    .emitWithAck('asked', 1)
    .catch(() => {})
  await take(1)
  first.io.of('/').local.emit('last')
  first.io.serverSideEmit('between', 'servers')
  first.io.emit('end')
  frames[0]?.push((await listeners[0]?.nextMessage())?.data.toString('hex') ?? '')
  await take(1)
  for (const listener of listeners) await listener.close()
  for (const node of nodes) await node.close()
  return frames
}

describe.each(adapters)('over %s', (_, make) => {
  it.each(Object.keys(parsers) as (keyof typeof parsers)[])(
    'clients see the same bytes with and without telemetry, parser: %s',
    async (parser) => {
      const bare = await transcript(make, parser, [false, false])
      expect(bare.map((frames) => frames.length)).toEqual(parser === 'default' ? [7, 6] : [6, 5])
      expect(await transcript(make, parser, [true, true])).toEqual(bare)
      // Nodes that are not traced, as while a deployment goes from node to node.
      expect(await transcript(make, parser, [true, false])).toEqual(bare)
      expect(await transcript(make, parser, [false, true])).toEqual(bare)
    },
  )
})
