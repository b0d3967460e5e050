import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeFrame } from '../src/audio-frame.ts'
import { synthesize } from '../src/engines/speech.ts'
import { type AssistantServer, type Platform, startAssistant } from '../src/platforms/server.ts'
import { MAX_AUDIO } from '../src/stages/utterance.ts'
import { Phone } from '../src/users/phone.ts'

describe.each<Platform>(['ws', 'socket.io'])('the assistant on %s', (platform) => {
  let server: AssistantServer
  const call = (user: string, plan?: 'premium') =>
    Phone.call(platform, server.url, plan === undefined ? { user } : { user, plan })

  beforeEach(async () => {
    server = await startAssistant(platform, 0)
  })
  afterEach(async () => {
    await server.close()
  })

  it('answers in words and in audio', async () => {
    const ada = await call('ada')
    expect(await ada.ask('what is seven times six?')).toEqual({
      heard: 'what is seven times six?',
      text: 'seven times six is forty two.',
      spoken: 'seven times six is forty two.',
    })
    expect((await ada.ask('how many feet are three metres?')).text).toBe('three metres are nine point eight feet.')
    await ada.hangUp()
  })

  it('remembers each user for themselves, and tells subscribers', async () => {
    const ada = await call('ada', 'premium')
    const grace = await call('grace', 'premium')
    expect((await ada.ask('add milk to my list.')).text).toBe('milk is on your list now.')
    expect((await ada.ask('what is on my list?')).text).toBe('your list has milk.')
    expect((await grace.ask('what is on my list?')).text).toBe('your list is empty.')
    expect((await ada.history())[0]).toBe('add milk to my list.')
    expect(await grace.history()).not.toContain('add milk to my list.')
  })

  it('lets a timer ring', async () => {
    const ada = await call('ada')
    const rings = new Promise((resolve) => ada.wire.events.once('timer', resolve))
    expect((await ada.ask('set a timer for one second.')).text).toBe('your timer rings in one second.')
    expect(await rings).toEqual({ seconds: 1 })
  })

  it('refuses who does not say who they are, and who does not pay', async () => {
    const nobody = await Phone.call(platform, server.url, {})
    await expect(nobody.ask('hello')).rejects.toMatchObject({ code: 'unauthenticated', message: 'say who you are' })
    const ada = await call('ada')
    await expect(ada.history()).rejects.toMatchObject({ code: 'plan_required' })
  })

  it('refuses what it cannot hear or understand, and goes on', async () => {
    const ada = await call('ada')
    await expect(ada.play(Buffer.alloc(3_200))).rejects.toMatchObject({ code: 'unintelligible' })
    await expect(ada.ask('guten tag')).rejects.toMatchObject({ code: 'not_understood' })
    expect((await ada.ask('what is one plus one?')).text).toBe('one plus one is two.')
  })

  it('refuses audio that is cut short, out of place or without end', async () => {
    const ada = await call('ada')
    const frame = encodeFrame({ utterance: 'x', last: true }, synthesize('hi'))
    await expect(ada.emit('audio', frame.subarray(0, -1))).rejects.toMatchObject({ code: 'bad_frame' })
    await expect(ada.emit('audio', frame.subarray(0, 10))).rejects.toMatchObject({ code: 'bad_frame' })
    await expect(ada.emit('audio', Buffer.from([0]))).rejects.toMatchObject({ code: 'bad_frame' })
    await expect(ada.emit('audio', Buffer.from('\0\u0002{}'))).rejects.toMatchObject({ code: 'bad_frame' })
    await expect(ada.emit('audio', frame)).rejects.toMatchObject({ code: 'not_listening' })

    ada.wire.send('listen', { utterance: 'long' })
    await expect(
      ada.emit('audio', encodeFrame({ utterance: 'long', last: false }, Buffer.alloc(MAX_AUDIO + 320))),
    ).rejects.toMatchObject({ code: 'too_long' })
    expect((await ada.ask('what is one plus one?')).text).toBe('one plus one is two.')
  })

  it('refuses two utterances at a time, and one without an id', async () => {
    const ada = await call('ada')
    const refused: string[] = []
    const both = new Promise<void>((resolve) => {
      ada.wire.events.on('exception', ({ code }) => {
        if (refused.push(code) === 2) resolve()
      })
    })
    ada.wire.send('listen', { utterance: 'one' })
    ada.wire.send('listen', { utterance: 'two' })
    ada.wire.send('listen', {})
    await both
    expect(refused.sort()).toEqual(['bad_request', 'busy'])
  })
})
