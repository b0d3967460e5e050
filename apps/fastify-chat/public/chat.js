import { clientMetrics, jsonName, traceUrl, traceWebSocket } from '@otel-ws/client'
import { act, chatView, startPageTelemetry } from '@otel-ws/demo-kit/page'

const TRACING = { route: '/chat/:room', messageName: jsonName('$.type'), metrics: clientMetrics }

let socket

await startPageTelemetry('fastify-chat page')

const view = chatView({
  title: 'fastify-chat',
  async enter(name, room) {
    const response = await fetch('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    const { token, error } = await response.json()
    if (token === undefined) view.refuse(error)
    else enter({ name, token }, room)
  },
  entrances: {
    'Enter without a login': (room) => enter({ name: 'mallory', token: 'guessed' }, room),
  },
  say: (text) => send({ type: 'say', text }),
  whisper(to, text) {
    send({ type: 'whisper', to, text })
    view.addLine(`you to ${to}`, text, 'private')
  },
  attempts: {
    'slow search': () => send({ type: 'search', text: 'coffee' }),
    'failing translation': () => send({ type: 'translate', text: 'hello' }),
    'reminder in 1 s': () => send({ type: 'remind', text: 'a second is over' }),
    'announce to all rooms': () => send({ type: 'announce', text: 'hello, all of you' }),
    'broken JSON': () => socket.send('{"text":"I was about to'),
    '100 kB message': () => send({ type: 'say', text: 'A'.repeat(100_000) }),
  },
  leave() {
    if (socket.readyState === WebSocket.CLOSED) location.reload()
    else socket.close(1000)
  },
})

const handlers = {
  welcome({ you, room, members }) {
    view.showRoom(you, room)
    view.showMembers(members)
  },
  joined({ user, members }) {
    view.addLine('', `${user} joined`, 'note')
    view.showMembers(members)
  },
  left({ user, members }) {
    view.addLine('', `${user} left`, 'note')
    view.showMembers(members)
  },
  said: ({ from, text }) => view.addLine(from, text),
  whispered: ({ from, text }) => view.addLine(`${from} to you`, text, 'private'),
  announced: ({ from, text }) => view.addLine(`${from} to all`, text),
  found: ({ text, matches }) => view.addLine('', `messages with “${text}”: ${matches.join(' / ') || 'none'}`, 'note'),
  reminder: ({ text }) => view.addLine('reminder', text, 'private'),
  error: ({ message }) => view.addLine('error', message, 'bad'),
}

function enter(user, room) {
  const url = new URL(`/chat/${room}?${new URLSearchParams(user)}`, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  // traceWebSocket() traces the socket; traceUrl() adds the trace context of the handshake.
  socket = act('enter', () => traceWebSocket(new WebSocket(traceUrl(url, TRACING)), TRACING))
  let opened = false
  socket.addEventListener('open', () => {
    opened = true
  })
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data)
    handlers[message.type]?.(message)
  })
  socket.addEventListener('close', ({ code, reason }) => {
    if (!opened) view.refuse('The server rejected the connection.')
    else if (code === 1000) location.reload()
    else view.showState(`closed: ${code} ${reason}`.trim(), 'bad')
  })
}

function send(message) {
  socket.send(JSON.stringify(message))
}
