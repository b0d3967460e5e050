import type { WebSocket as WsSocket } from 'ws'

/** A message of the size that it is told by, so that no two of a script are alike. */
const sized = (size: number): string => `{${'x'.repeat(size - 2)}}`

/** Sends in every shape that `ws` has, and some that it refuses, in one script. Resolves when all has been taken. */
export async function sendByWs(socket: WsSocket): Promise<void> {
  const flushed = (size: number, options?: { binary?: boolean; compress?: boolean; fin?: boolean }) =>
    new Promise((resolve) =>
      options === undefined ? socket.send(sized(size), resolve) : socket.send(sized(size), options, resolve),
    )
  socket.send(sized(10))
  await flushed(11)
  socket.send(sized(12), { compress: false })
  await flushed(13, { binary: false })
  refused(() => socket.send({} as never))
  socket.send(Buffer.alloc(14))
  socket.send(Buffer.from(sized(15)), { binary: false })
  socket.send(new Uint8Array(16).buffer)
  socket.send(new DataView(new ArrayBuffer(17)))
  socket.send('')
  socket.send(5 as never)
  refused(() =>
    socket.send('x', {
      get compress(): boolean {
        throw new TypeError('refused')
      },
    }),
  )
  socket.send('{', { fin: false })
  socket.send('x'.repeat(20), { fin: false })
  await new Promise(setImmediate)
  socket.send('}')
  socket.send(Buffer.alloc(10), { fin: false })
  socket.send(Buffer.alloc(13))
  socket.send(sized(70_000))
  for (let size = 30; size < 50; size++) socket.send(sized(size))
  await flushed(50)
}

/** Sends in every shape that the standard has. */
export async function sendByStandard(socket: WebSocket): Promise<void> {
  socket.send(sized(10))
  refused(() => socket.send(Symbol('refused') as never))
  socket.send(new Uint8Array(11).buffer)
  socket.send(new Uint8Array(12))
  socket.send(new Blob(['x'.repeat(13)]))
  socket.send('')
  socket.send('[1]')
  socket.send(sized(70_000))
  for (let size = 30; size < 50; size++) socket.send(sized(size))
}

function refused(send: () => void): void {
  try {
    send()
  } catch {
    return
  }
  throw new Error('the socket took what it should have refused')
}
