import { once } from 'node:events'
import { connect, type TestClient } from '@otel-ws/testkit'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SEARCH_TIME } from '../src/chat.ts'
import { ChatClient } from '../src/client.ts'
import type { ClientMessage, ServerMessage } from '../src/messages.ts'
import { CLOSE_BAD_MESSAGE, createChatServer } from '../src/server.ts'

let server: FastifyInstance
let url: string

beforeEach(async () => {
  server = await createChatServer()
  url = await server.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  await server.close()
})

async function enter(name: string, room = 'lobby', options = {}): Promise<TestClient> {
  const token = await ChatClient.signUp(url, name)
  const client = await connect(`${url.replace('http', 'ws')}/chat/${room}?token=${token}`, [], options)
  expect(await next(client)).toMatchObject({ type: 'welcome', you: name, room })
  return client
}

async function next(client: TestClient): Promise<ServerMessage> {
  return JSON.parse(await client.next())
}

function send(client: TestClient, message: ClientMessage): void {
  client.send(JSON.stringify(message))
}

describe('the chat server', () => {
  it('gives a name to one person only', async () => {
    expect(await ChatClient.signUp(url, 'ada')).toMatch(/^[\da-f-]{36}$/)
    expect(await ChatClient.signUp(url, 'ada')).toBeUndefined()
    expect(await ChatClient.signUp(url, 'no spaces')).toBeUndefined()
  })

  it('turns away who has not logged in', async () => {
    await expect(connect(`${url.replace('http', 'ws')}/chat/lobby?token=guessed`)).rejects.toThrow(
      'Unexpected server response: 401',
    )
  })

  it('passes what is said to the room, and who comes and goes', async () => {
    const ada = await enter('ada')
    const grace = await enter('grace')
    expect(await next(ada)).toEqual({ type: 'joined', user: 'grace', members: ['ada', 'grace'] })
    const alan = await enter('alan', 'kitchen')
    send(grace, { type: 'say', text: 'hello' })
    expect(await next(ada)).toEqual({ type: 'said', from: 'grace', text: 'hello' })
    expect(await next(grace)).toEqual({ type: 'said', from: 'grace', text: 'hello' })
    await grace.close(1000)
    expect(await next(ada)).toEqual({ type: 'left', user: 'grace', members: ['ada'] })
    expect(alan.queued).toBe(0)
  })

  it('passes private messages to one person and announcements to all', async () => {
    const ada = await enter('ada')
    const alan = await enter('alan', 'kitchen')
    send(alan, { type: 'whisper', to: 'ada', text: 'psst' })
    expect(await next(ada)).toEqual({ type: 'whispered', from: 'alan', text: 'psst' })
    send(alan, { type: 'whisper', to: 'nobody', text: 'psst' })
    expect(await next(alan)).toEqual({ type: 'error', message: 'nobody is not here' })
    send(ada, { type: 'announce', text: 'lunch' })
    expect(await next(ada)).toEqual({ type: 'announced', from: 'ada', text: 'lunch' })
    expect(await next(alan)).toEqual({ type: 'announced', from: 'ada', text: 'lunch' })
  })

  it('searches slowly, translates never and reminds later', async () => {
    const ada = await enter('ada')
    send(ada, { type: 'say', text: 'coffee is ready' })
    await next(ada)
    const started = performance.now()
    send(ada, { type: 'search', text: 'coffee' })
    expect(await next(ada)).toEqual({ type: 'found', text: 'coffee', matches: ['ada: coffee is ready'] })
    expect(performance.now() - started).toBeGreaterThanOrEqual(SEARCH_TIME - 1)
    send(ada, { type: 'translate', text: 'coffee' })
    expect(await next(ada)).toEqual({ type: 'error', message: 'no answer' })
    send(ada, { type: 'remind', text: 'drink it' })
    expect(await next(ada)).toEqual({ type: 'reminder', text: 'drink it' })
  })

  it.each([
    ['{"text":"I was about to', 'not JSON'],
    ['null', 'not an object'],
    ['{"type":"shout","text":"x"}', 'unknown type'],
    ['{"type":"say"}', 'no text'],
    ['{"type":"whisper","text":"x"}', 'whisper has no recipient'],
  ])('disconnects who sends %s', async (data, reason) => {
    const ada = await enter('ada')
    ada.send(data)
    expect(await next(ada)).toEqual({ type: 'error', message: reason })
    expect(await ada.closed).toEqual({ code: CLOSE_BAD_MESSAGE, reason })
  })

  it('disconnects who sends too much', async () => {
    const ada = await enter('ada')
    send(ada, { type: 'say', text: 'A'.repeat(100_000) })
    expect((await ada.closed).code).toBe(1009)
  })

  it('cuts off who does not answer the heartbeat', async () => {
    const sleeper = await enter('sleeper', 'lobby', { autoPong: false })
    expect((await sleeper.closed).code).toBe(1006)
  })

  it('tells its clients when it stops, and does not wait for the deaf', async () => {
    const ada = await enter('ada')
    const deaf = await enter('deaf')
    deaf.socket.pause()
    await server.close()
    expect(await ada.closed).toEqual({ code: 1001, reason: 'the server stops' })
    const cut = once(deaf.socket, 'close')
    deaf.socket.resume()
    await cut
  })

  it('serves its page', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/chat.js', 'text/javascript'],
      ['/chat.css', 'text/css'],
    ] as const) {
      const response = await fetch(url + path)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`])
    }
  })
})
