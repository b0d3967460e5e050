import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Telemetry } from '@otel-ws/testkit'
import { launchBrowser } from '@otel-ws/testkit/browser'
import { connectionOf, type TracedServer, traceWebSocketServer } from '@otel-ws/ws'
import type { Browser, Page as BrowserPage } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Page, ToldSpan } from './browser/page.ts'
import { WAIT } from './browser/promises.ts'
import { scripts } from './browser/scripts.ts'

const ROUTE = '/chat/:room'
const require = createRequire(import.meta.url)
const zoneCode = await readFile(require.resolve('zone.js'))
const HTML = '<!doctype html><button>say</button><ol></ol><script type="module" src="/page.js"></script>'

declare const window: { harness: Page; socket?: unknown }

/** The page's code, bundled as an application would. */
async function bundlePage(): Promise<string> {
  const bundler = await rolldown({
    input: fileURLToPath(new URL('browser/page.ts', import.meta.url)),
    platform: 'browser',
    logLevel: 'silent',
  })
  const { output } = await bundler.generate({ format: 'esm' })
  await bundler.close()
  return output[0].code
}

describe('Chromium', () => {
  let browser: Browser
  let code: string
  let telemetry: Telemetry
  let http: Server
  let origin: string
  let wss: WebSocketServer
  let plain: WebSocketServer
  let traced: TracedServer
  let told: ToldSpan[]
  let onTold: () => void
  let pages: BrowserPage[]

  beforeAll(async () => {
    ;[browser, code] = await Promise.all([launchBrowser(), bundlePage()])
  }, 120_000)

  afterAll(() => browser.close())

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    told = []
    onTold = () => {}
    pages = []
    http = createServer(answer)
    wss = new WebSocketServer({ noServer: true })
    plain = new WebSocketServer({ noServer: true })
    traced = traceWebSocketServer(wss, { route: ROUTE, messageName: '$.type' })
    http.on('upgrade', (request, socket, head) => {
      const server = request.url?.startsWith('/echo') === true ? plain : wss
      server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request))
    })
    wss.on('connection', chat)
    plain.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    origin = `127.0.0.1:${(http.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    for (const page of pages) await page.close()
    for (const socket of [...wss.clients, ...plain.clients]) socket.terminate()
    const closed = new Promise((resolve) => http.close(resolve))
    http.closeAllConnections()
    await closed
    await traced.shutdown()
    await telemetry.uninstall()
  })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/spans') {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (part: string) => {
        body += part
      })
      request.on('end', () => {
        told.push(...(JSON.parse(body) as ToldSpan[]))
        response.writeHead(204).end()
        onTold()
      })
    } else if (request.url === '/zone.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(zoneCode)
    } else if (request.url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(code)
    else {
      const zone = request.url?.includes('zone=before') === true ? '<script src="/zone.js"></script>' : ''
      response.writeHead(200, { 'content-type': 'text/html' }).end(zone + HTML)
    }
  }

  /** Says everything to everybody else, as a chat does. */
  function chat(socket: WebSocket): void {
    socket.send('{"type":"welcome"}')
    socket.on('message', (data) => {
      const { text } = JSON.parse(data.toString()) as { text: string }
      const said = JSON.stringify({ type: 'said', text })
      for (const other of wss.clients) if (other !== socket) other.send(said)
    })
  }

  /** @param zone when zone.js is loaded: before otel-ws, after it, or not at all */
  async function open(name: string, zone = ''): Promise<BrowserPage> {
    const page = await browser.newPage()
    pages.push(page)
    await page.goto(`http://${origin}/?page=${name}&zone=${zone}`)
    if (zone === 'after') await page.addScriptTag({ url: '/zone.js' })
    if (zone !== '') expect(await page.evaluate(() => String(Promise.name))).toBe('ZoneAwarePromise')
    return page
  }

  const enter = (page: BrowserPage): Promise<string> =>
    page.evaluate((url) => window.harness.enter(url), `ws://${origin}/chat/lobby?token=secret`)

  /** The span of that name that a page told, as soon as it has. */
  async function toldSpan(page: string, name: string): Promise<ToldSpan> {
    for (;;) {
      const found = told.filter((span) => span.page === page && span.name === name)
      if (found.length > 1) throw new Error(`${found.length} spans ${name}`)
      if (found[0] !== undefined) return found[0]
      await new Promise<void>((resolve) => {
        onTold = resolve
      })
    }
  }

  it('makes one trace from a click on one page to the handler of another', async () => {
    const [ada, bob] = [await open('ada'), await open('bob')]
    const ids = [await enter(ada), await enter(bob)]
    expect(ids).toEqual([...wss.clients].map((socket) => connectionOf(socket)?.id))
    await ada.click('button')
    await bob.waitForSelector('li')
    for (const page of [ada, bob]) await page.evaluate(() => window.harness.flush())
    const click = await toldSpan('ada', 'click')
    const send = await toldSpan('ada', 'send say')
    const processed = await telemetry.waitForSpan('process say')
    const sent = await telemetry.waitForSpan('send said')
    const handled = await toldSpan('bob', 'process said')
    const render = await toldSpan('bob', 'render')
    const server = [processed, sent].map((span) => ({
      ...span.spanContext(),
      parentId: span.parentSpanContext?.spanId,
    }))
    const chain = [click, send, ...server, handled, render]
    expect(chain.map(({ traceId }) => traceId)).toEqual(chain.map(() => click.traceId))
    expect(chain.map(({ parentId }) => parentId)).toEqual([
      undefined,
      ...chain.slice(0, -1).map(({ spanId }) => spanId),
    ])
    expect([send.kind, handled.kind]).toEqual(['PRODUCER', 'CONSUMER'])
    // Bob had a welcome before; the hello of the agreement counts on neither side.
    expect([send, handled].map(({ attributes }) => attributes['websocket.message.sequence'])).toEqual([1, 2])
    expect([processed, sent].map(({ attributes }) => attributes['websocket.message.sequence'])).toEqual([1, 2])
    expect([send, handled].map(({ attributes }) => attributes['websocket.connection.id'])).toEqual(ids)
    expect([processed, sent].map(({ attributes }) => attributes['websocket.connection.id'])).toEqual(ids)
    const connect = await toldSpan('bob', `connect ${ROUTE}`)
    // Service graphs would look for its partner among its links.
    expect(handled.links).toEqual([])
    const handshake = telemetry.spans(`GET ${ROUTE}`).find((span) => span.spanContext().traceId === connect.traceId)
    expect(handshake?.parentSpanContext?.spanId).toBe(connect.spanId)
    expect(connect.parentId).toBe((await toldSpan('bob', 'enter')).spanId)
    expect(JSON.stringify(told)).not.toContain('secret')
  })

  it('tells the connections of a page that goes away', async () => {
    const page = await open('ada')
    const id = await enter(page)
    await page.goto('about:blank')
    const close = await toldSpan('ada', `close ${ROUTE}`)
    expect(close.attributes).toMatchObject({
      'websocket.connection.id': id,
      'websocket.close.code': 1001,
      'websocket.close.category': 'going_away',
      'websocket.close.initiator': 'local',
      'websocket.connection.messages.received': 1,
    })
    expect((await toldSpan('ada', `connect ${ROUTE}`)).attributes['websocket.connection.id']).toBe(id)
  })

  describe.each(['', 'before', 'after'])('with zone.js loaded %s otel-ws', (zone) => {
    it.each([
      ['an async function', 'async-functions', WAIT],
      ['an async function that rejects', 'async-functions', WAIT],
      ['an async function of an iframe', 'async-functions', WAIT],
      ['a function that returns a promise', 'async-functions', 0],
      ['a function that returns a promise', 'all', WAIT],
      ['a function that returns a promise of an iframe', 'all', WAIT],
      ['a function that returns an object with a then', 'all', 0],
    ] as const)('measures %s with followPromises: %s', async (kind, follows, expected) => {
      const page = await open('ada', zone)
      const errors = await page.evaluate(([what, to, how]) => window.harness.listen(what, to, how), [
        kind,
        `ws://${origin}/echo`,
        follows,
      ] as const)
      const span = await toldSpan('ada', `process ${kind}`)
      // Timers of pages fire up to a millisecond early.
      if (expected > 0) expect(span.milliseconds).toBeGreaterThanOrEqual(expected - 2)
      else expect(span.milliseconds).toBeLessThan(WAIT / 2)
      const isUnfollowed = kind.endsWith('a promise') && follows === 'async-functions'
      expect(span.attributes['websocket.process.end']).toBe(isUnfollowed ? 'returned' : undefined)
      const isRejected = kind.endsWith('rejects')
      expect(span.attributes['error.type']).toBe(isRejected ? 'RangeError' : undefined)
      expect(errors).toEqual(isRejected ? ['RangeError: rejected'] : [])
    })
  })

  it.each(Object.keys(scripts))('does not let an application notice: %s', async (script) => {
    const page = await open('ada')
    const url = `ws://${origin}/echo`
    const run = (isTraced: boolean | 'faulty') =>
      page.evaluate(([name, to, how]) => window.harness.run(name, to, how), [script, url, isTraced] as const)
    const expected = await run(false)
    expect(expected.length).toBeGreaterThan(0)
    expect(await run(true)).toEqual(expected)
    expect(await run('faulty')).toEqual(expected)
  })
})
