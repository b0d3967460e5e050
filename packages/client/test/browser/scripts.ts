/** What an application does with its socket. It must not be able to tell whether the socket is traced. */
export type Script = (open: () => WebSocket, log: (...entry: unknown[]) => void) => Promise<void>

type Listener = EventListenerOrEventListenerObject

/** Sends texts to a server that echoes them, and resolves when the last has come back. */
async function exchange(socket: WebSocket, ...texts: string[]): Promise<void> {
  for (const text of texts) socket.send(text)
  await new Promise<void>((resolve) => {
    EventTarget.prototype.addEventListener.call(socket, 'message', function last(event) {
      if ((event as MessageEvent).data !== texts.at(-1)) return
      EventTarget.prototype.removeEventListener.call(socket, 'message', last)
      // A turn later every listener and what it left to microtasks is done.
      setTimeout(resolve)
    })
  })
}

async function opened(socket: WebSocket): Promise<WebSocket> {
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  return socket
}

async function closed(socket: WebSocket, code?: number): Promise<CloseEvent> {
  const event = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
  socket.close(code)
  return event
}

export const scripts: Readonly<Record<string, Script>> = {
  async 'listeners in order, each with its own this and its microtasks'(open, log) {
    const socket = await opened(open())
    const handler = {
      handleEvent(this: unknown, event: Event) {
        log('object', this === handler, event.type)
      },
    }
    socket.addEventListener('message', function (this: unknown, event) {
      log(
        'first',
        this === socket,
        event.target === socket,
        event.currentTarget === socket,
        event.data,
        arguments.length,
      )
      Promise.resolve().then(() => log('microtask of the first'))
    })
    socket.onmessage = function (this: unknown, event) {
      log('onmessage', this === socket, event.data, event.eventPhase, event.isTrusted, event instanceof MessageEvent)
    }
    socket.addEventListener('message', handler as Listener)
    socket.addEventListener('message', async () => {
      log('async')
      await null
      log('after await')
    })
    await exchange(socket, 'one', 'two')
    await closed(socket)
  },

  async 'listeners that are added twice, removed, or called once'(open, log) {
    const socket = await opened(open())
    const a = () => log('a')
    const b = () => log('b')
    const gone = () => log('gone')
    socket.addEventListener('message', a)
    socket.addEventListener('message', a)
    socket.addEventListener('message', a, true)
    socket.addEventListener('message', b, { once: true })
    socket.addEventListener('message', gone)
    socket.removeEventListener('message', gone)
    socket.addEventListener('message', gone, { once: true })
    socket.removeEventListener('message', gone, false)
    socket.addEventListener('message', gone, true)
    socket.removeEventListener('message', gone)
    socket.removeEventListener('message', gone, { capture: true })
    socket.addEventListener('message', null as never)
    socket.removeEventListener('message', null as never)
    const abort = new AbortController()
    socket.addEventListener('message', () => log('until aborted'), { signal: abort.signal })
    socket.addEventListener('message', gone, { signal: AbortSignal.abort() })
    await exchange(socket, 'one')
    abort.abort()
    socket.removeEventListener('message', a)
    await exchange(socket, 'two')
    await closed(socket)
  },

  async 'listeners that change the list while it is called'(open, log) {
    const socket = await opened(open())
    const late = () => log('late')
    const gone = () => log('gone')
    const later = () => log('later')
    socket.addEventListener('message', () => {
      log('first')
      socket.removeEventListener('message', gone)
      socket.addEventListener('message', late)
    })
    socket.addEventListener('message', gone)
    socket.addEventListener('message', () => {
      socket.onmessage = later
    })
    await exchange(socket, 'one')
    log('second round')
    await exchange(socket, 'two')
    await closed(socket)
  },

  async 'onmessage, read and written'(open, log) {
    const socket = open()
    log(socket.onmessage)
    const first = () => log('first')
    const second = () => log('second')
    socket.onmessage = first
    log(socket.onmessage === first)
    socket.addEventListener('message', () => log('listener'))
    socket.onmessage = second
    log(socket.onmessage === second)
    await opened(socket)
    await exchange(socket, 'one')
    socket.onmessage = null
    log(socket.onmessage)
    await exchange(socket, 'two')
    socket.onmessage = first
    await exchange(socket, 'three')
    socket.onmessage = 5 as never
    log(socket.onmessage)
    socket.onmessage = first
    socket.addEventListener('message', first)
    await exchange(socket, 'four')
    await closed(socket)
  },

  async 'a listener that stops the others'(open, log) {
    const socket = await opened(open())
    socket.addEventListener('message', (event) => {
      log('first', event.data)
      if (event.data === 'stop') event.stopImmediatePropagation()
      else event.stopPropagation()
    })
    socket.addEventListener('message', (event) => log('second', event.data))
    socket.send('stop')
    socket.send('go on')
    await exchange(socket, 'end')
    await closed(socket)
  },

  async 'listeners that throw, and promises that reject'(open, log) {
    const socket = await opened(open())
    const errors: string[][] = []
    const onError = (event: ErrorEvent): void => {
      errors.push(['error', (event.error as Error).message])
      event.preventDefault()
    }
    const onRejection = (event: PromiseRejectionEvent): void => {
      errors.push(['rejection', (event.reason as Error).message])
      event.preventDefault()
    }
    addEventListener('error', onError)
    addEventListener('unhandledrejection', onRejection)
    socket.addEventListener('message', () => {
      throw new Error('thrown')
    })
    socket.addEventListener('message', async () => {
      throw new Error('rejected')
    })
    socket.addEventListener('message', { handleEvent: 'no function' } as never)
    socket.addEventListener('message', () => log('the next'))
    await exchange(socket, 'one')
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve))
    removeEventListener('error', onError)
    removeEventListener('unhandledrejection', onRejection)
    log(errors)
    await closed(socket)
  },

  async 'messages of every kind, as every binaryType'(open, log) {
    const socket = await opened(open())
    for (const type of ['blob', 'arraybuffer'] as const) {
      socket.binaryType = type
      const seen: unknown[] = []
      socket.addEventListener('message', ({ data }) => seen.push(data), { once: false })
      socket.send('text €')
      socket.send('')
      socket.send(new Uint8Array([1, 2, 3]).buffer)
      socket.send(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))
      socket.send(new Blob(['blob']))
      socket.send(12 as never)
      socket.send({ toString: () => 'converted' } as never)
      socket.send([1, 2] as never)
      socket.send(null as never)
      socket.send(undefined as never)
      await exchange(socket, 'end')
      for (const data of seen) {
        if (data instanceof Blob) log('blob', [...new Uint8Array(await data.arrayBuffer())])
        else log(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data)
      }
    }
    await closed(socket)
  },

  async 'calls at the wrong time, or with the wrong arguments'(open, log) {
    const socket = open()
    const attempt = (name: string, act: () => unknown): void => {
      try {
        log(name, act())
      } catch (error) {
        log(name, (error as Error).name, (error as Error).message)
      }
    }
    attempt('send while connecting', () => socket.send('early'))
    attempt('close with a wrong code', () => socket.close(1))
    attempt('close with a long reason', () => socket.close(4000, 'x'.repeat(200)))
    await opened(socket)
    attempt('send without arguments', () => (socket as unknown as { send(): void }).send())
    attempt('send a symbol', () => socket.send(Symbol('x') as never))
    attempt('send what fails to convert', () =>
      socket.send({
        toString() {
          throw new RangeError('no text')
        },
      } as never),
    )
    attempt('addEventListener without arguments', () =>
      (socket as never as { addEventListener(): void }).addEventListener(),
    )
    attempt('addEventListener of a text', () => socket.addEventListener('message', 'text' as never))
    attempt('close', () => socket.close(4001, 'bye'))
    attempt('close again', () => socket.close(4002))
    attempt('send while closing', () => socket.send('late'))
    const event = await new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
    log(event.code, event.reason, event.wasClean, socket.readyState)
    attempt('send when closed', () => socket.send('too late'))
  },

  async 'the face of the socket'(open, log) {
    const socket = open()
    log(
      Object.keys(socket),
      Object.prototype.toString.call(socket),
      socket instanceof WebSocket,
      socket.constructor.name,
    )
    log(JSON.stringify(socket), Object.getPrototypeOf(socket) === WebSocket.prototype, Object.isExtensible(socket))
    for (const name of ['send', 'close', 'addEventListener', 'removeEventListener', 'dispatchEvent'] as const) {
      log(name, socket[name].length, socket[name].name)
    }
    log(socket.binaryType, socket.bufferedAmount, socket.extensions, socket.protocol, socket.readyState)
    await opened(socket)
    log((await closed(socket, 1000)).code)
  },
}
