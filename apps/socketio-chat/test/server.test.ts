import { Adapter } from 'socket.io-adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ChatClient, enter } from '../src/client.ts'
import { type ChatServer, startChatServer } from '../src/server.ts'

let server: ChatServer
let clients: ChatClient[]
let warnings: string[]

beforeEach(async () => {
  warnings = []
  clients = []
  server = await startChatServer({
    node: 'node-1',
    adapter: Adapter,
    port: 0,
    warn: (text) => warnings.push(text),
  })
})
afterEach(async () => {
  for (const client of clients) client.disconnect()
  await server.close()
})

async function inRoom(name: string, room = 'lobby'): Promise<{ client: ChatClient; members: string[] }> {
  const client = await enter(server.url, name)
  clients.push(client)
  return { client, members: await client.emitWithAck('enter', room) }
}

function next(client: ChatClient, event: string): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event as never, (...args: unknown[]) => resolve(args)))
}

describe('a node of the chat', () => {
  it('turns away who has no proper name', async () => {
    await expect(enter(server.url, 'no such name')).rejects.toThrow('This name is not available.')
    expect(warnings).toEqual(['turned away "no such name" from 127.0.0.1: the name is not available'])
  })

  it('passes what is said to the room, and who comes and goes', async () => {
    const { client: ada } = await inRoom('ada')
    const entered = next(ada, 'entered')
    const { client: grace, members } = await inRoom('grace')
    expect(members.sort()).toEqual(['ada', 'grace'])
    expect(await entered).toEqual(['grace'])
    const heard = next(ada, 'said')
    grace.emit('say', 'hello')
    expect(await heard).toEqual([{ from: 'grace', text: 'hello' }])
    const left = next(ada, 'left')
    grace.disconnect()
    expect(await left).toEqual(['grace'])
  })

  it('passes private messages to one person and announcements to all', async () => {
    const { client: ada } = await inRoom('ada')
    const { client: alan } = await inRoom('alan', 'kitchen')
    const whispered = next(ada, 'whispered')
    expect(await alan.emitWithAck('whisper', 'ada', 'psst')).toBe(true)
    expect(await whispered).toEqual([{ from: 'alan', text: 'psst' }])
    expect(await alan.emitWithAck('whisper', 'nobody', 'psst')).toBe(false)
    const announced = next(alan, 'announced')
    ada.emit('announce', 'lunch')
    expect(await announced).toEqual([{ from: 'ada', text: 'lunch' }])
  })

  it('counts votes, and does not wait for ever', async () => {
    const { client: ada } = await inRoom('ada')
    const { client: grace } = await inRoom('grace')
    expect(await ada.emitWithAck('poll', 'even')).toEqual({ yes: 2, votes: 2 })
    grace.off('vote')
    expect(await ada.emitWithAck('poll', 'odd')).toEqual({ yes: 0, votes: 1 })
  })

  it('searches slowly and translates never', async () => {
    const { client: ada } = await inRoom('ada')
    const heard = next(ada, 'said')
    ada.emit('say', 'coffee is ready')
    await heard
    expect(await ada.emitWithAck('search', 'coffee')).toEqual(['ada: coffee is ready'])
    const failed = next(ada, 'failed')
    ada.emit('translate', 'coffee')
    expect(await failed).toEqual(['no answer'])
    expect(warnings).toEqual(['TranslationUnavailable: no answer'])
  })

  it('serves its page', async () => {
    const types = await Promise.all(
      ['/', '/chat.js', '/chat.css', '/socket.io/socket.io.js', '/server.ts'].map(async (path) => {
        const response = await fetch(server.url + path)
        return `${response.status} ${response.headers.get('content-type')}`
      }),
    )
    expect(types).toEqual([
      '200 text/html; charset=utf-8',
      '200 text/javascript; charset=utf-8',
      '200 text/css; charset=utf-8',
      '200 application/javascript; charset=utf-8',
      '404 null',
    ])
  })
})
