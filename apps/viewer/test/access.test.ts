import { createServer } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { call, firstUpdate, post, traceRequest } from './support/client.ts'

let viewer: Viewer

beforeEach(async () => {
  viewer = await startViewer({ port: 0, allowedHosts: ['viewer.test'], allowedOrigins: ['https://app.test'] })
})
afterEach(() => viewer.close())

test.each([
  ['127.0.0.1:1234', 200],
  ['localhost', 200],
  ['[::1]:80', 200],
  ['192.168.1.7:4318', 200],
  ['viewer.test:4318', 200],
  ['VIEWER.TEST', 200],
  ['app.localhost:4318', 200],
  ['host.docker.internal:4318', 200],
  ['attacker.test', 403],
  ['localhost.attacker.test', 403],
  ['127.0.0.1.attacker.test', 403],
  ['a b', 403],
])('host %s is answered with %i, so that no rebound name gets in', async (host, status) => {
  expect(await call(viewer, '/', { headers: { host } })).toMatchObject({ status })
  const type = { 'content-type': 'application/json' }
  const body = JSON.stringify(traceRequest())
  expect(await call(viewer, '/v1/traces', { method: 'POST', headers: { host, ...type }, body })).toMatchObject({
    status,
  })
})

test.each([
  ['http://localhost:3000', 204],
  ['http://127.0.0.1', 204],
  ['https://app.test', 204],
  ['http://app.localhost:3000', 204],
  ['https://attacker.test', 403],
  ['http://localhost.attacker.test', 403],
  ['null', 403],
])('a page of origin %s that asks to export is answered with %i', async (origin, status) => {
  const answer = await call(viewer, '/v1/traces', { method: 'OPTIONS', headers: { origin } })
  expect(answer.status).toBe(status)
  expect(answer.headers['access-control-allow-origin']).toBe(status === 204 ? origin : undefined)
  expect(await post(viewer, 'traces', traceRequest(), { origin })).toMatchObject({ status: status === 204 ? 200 : 403 })
})

test('only its own page may read what was received, or clear it', async () => {
  await post(viewer, 'traces', traceRequest())
  const foreign = [
    { origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    expect(await call(viewer, '/api/live?view=traces', { headers })).toMatchObject({ status: 403 })
    expect(await call(viewer, '/api/clear', { method: 'POST', headers })).toMatchObject({ status: 403 })
  }
  expect((await firstUpdate(viewer, 'view=traces')).status.spans).toBe(1)
  const own = { origin: viewer.url, 'sec-fetch-site': 'same-origin' }
  expect(await call(viewer, '/api/clear', { method: 'POST', headers: own })).toMatchObject({ status: 204 })
  expect((await firstUpdate(viewer, 'view=traces')).status.spans).toBe(0)
})

test('the page may load nothing from elsewhere and run nothing inline', async () => {
  const { status, headers, body } = await call(viewer, '/')
  expect(status).toBe(200)
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|https?:\/\//)
})

test.each([
  '/../package.json',
  '/%2e%2e/package.json',
  '/assets/../../src/index.ts',
  '//etc/passwd',
  '/v1/profiles',
  '/api/other',
  '/nothing',
])('there is nothing at %s', async (path) => {
  expect(await call(viewer, path)).toMatchObject({ status: 404 })
})

test.each([
  ['GET', '/v1/traces', 'POST, OPTIONS'],
  ['PUT', '/v1/metrics', 'POST, OPTIONS'],
  ['POST', '/', 'GET, HEAD'],
  ['POST', '/api/live', 'GET'],
  ['GET', '/api/clear', 'POST'],
])('%s %s is answered with 405', async (method, path, allow) => {
  const answer = await call(viewer, path, { method })
  expect(answer).toMatchObject({ status: 405 })
  expect(answer.headers.allow).toBe(allow)
})

test('it listens on loopback, on the port that was asked for or not at all', async () => {
  expect(viewer.url).toBe(`http://127.0.0.1:${viewer.port}`)
  expect(viewer.endpoint).toBe(viewer.url)
  await expect(startViewer({ port: viewer.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('without a port it takes the standard one, or any other where that is taken', async () => {
  const other = createServer()
  // Where another program has the port already, that one is what is in the way.
  await new Promise((settled) => other.once('listening', settled).once('error', settled).listen(4318, '127.0.0.1'))
  const second = await startViewer()
  try {
    // Another program may have gone by now, and left the port to the second.
    if (other.listening) expect(second.port).not.toBe(4318)
    expect(await call(second, '/')).toMatchObject({ status: 200 })
  } finally {
    await second.close()
    if (other.listening) other.close()
  }
})

test.each([
  [{ maxSpans: 0 }, 'maxSpans must be a whole number above 0, not 0'],
  [{ maxBodyBytes: 1.5 }, 'maxBodyBytes must be a whole number above 0, not 1.5'],
  [{ maxBytes: Number.NaN }, 'maxBytes must be a whole number above 0, not NaN'],
])('options %o are refused at the start', async (options, message) => {
  await expect(startViewer({ port: 0, ...options })).rejects.toThrow(new TypeError(message))
})

test('closing ends the pages that are open', async () => {
  const response = await fetch(`${viewer.url}/api/live?view=traces`)
  await viewer.close()
  // It ends, or is cut: in either case the reader gets to know.
  await response.text().catch(() => undefined)
  await expect(fetch(viewer.url)).rejects.toThrow()
})
