import { jsonName, traceUrl, traceWebSocket } from '@otel-ws/client'
import { act, startPageTelemetry } from '@otel-ws/demo-kit/page'

const element = (id) => document.getElementById(id)
const lines = element('lines')

const TRACING = { route: '/chat/:room', messageName: jsonName('$.type') }

let socket
let me = ''

await startPageTelemetry('fastify-chat page')

element('login-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const response = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: element('name').value }),
  })
  const { token, error } = await response.json()
  if (token === undefined) element('login-error').textContent = error
  else enter(token)
})

element('intrude').addEventListener('click', () => enter('guessed'))
element('leave').addEventListener('click', () => {
  if (socket.readyState === WebSocket.CLOSED) location.reload()
  else socket.close(1000)
})

element('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = element('text').value
  const [, to, secret] = /^\/to (\S+) (.+)$/.exec(text) ?? []
  if (to === undefined) send({ type: 'say', text })
  else {
    send({ type: 'whisper', to, text: secret })
    addLine(`you to ${to}`, secret, 'private')
  }
  element('text').value = ''
})

for (const button of document.querySelectorAll('[data-try]')) {
  button.addEventListener('click', () => attempts[button.dataset.try]())
}

const attempts = {
  search: () => send({ type: 'search', text: 'coffee' }),
  translate: () => send({ type: 'translate', text: 'hello' }),
  remind: () => send({ type: 'remind', text: 'a second is over' }),
  announce: () => send({ type: 'announce', text: 'hello, all of you' }),
  broken: () => socket.send('{"text":"I was about to'),
  huge: () => send({ type: 'say', text: 'A'.repeat(100_000) }),
}

const handlers = {
  welcome({ you, room, members }) {
    me = you
    element('title').textContent = `${you} in ${room}`
    showMembers(members)
  },
  joined({ user, members }) {
    addLine('', `${user} came in`, 'note')
    showMembers(members)
  },
  left({ user, members }) {
    addLine('', `${user} left`, 'note')
    showMembers(members)
  },
  said: ({ from, text }) => addLine(from, text),
  whispered: ({ from, text }) => addLine(`${from} to you`, text, 'private'),
  announced: ({ from, text }) => addLine(`${from} to all`, text),
  found: ({ text, matches }) => addLine('', `who said “${text}”: ${matches.join(' / ') || 'nobody'}`, 'note'),
  reminder: ({ text }) => addLine('reminder', text, 'private'),
  error: ({ message }) => addLine('error', message, 'bad'),
}

function enter(token) {
  const url = new URL(`/chat/${element('room').value}?token=${encodeURIComponent(token)}`, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  // One line traces the page's end; the URL takes the trace to the server.
  socket = act('enter', () => traceWebSocket(new WebSocket(traceUrl(url, TRACING)), TRACING))
  let opened = false
  socket.addEventListener('open', () => {
    opened = true
    element('login').hidden = true
    element('chat').hidden = false
    setState('connected')
    element('text').focus()
  })
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data)
    handlers[message.type]?.(message)
  })
  socket.addEventListener('close', ({ code, reason }) => {
    if (!opened) element('login-error').textContent = 'The server turned you away.'
    else if (code === 1000) location.reload()
    else setState(`closed: ${code} ${reason}`.trim(), 'bad')
  })
}

function send(message) {
  act(`click ${message.type}`, () => socket.send(JSON.stringify(message)))
}

function addLine(who, text, className = '') {
  const line = document.createElement('li')
  line.className = className
  if (who !== '') line.append(Object.assign(document.createElement('b'), { textContent: who }))
  line.append(text)
  const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40
  lines.append(line)
  if (lines.childElementCount > 500) lines.firstElementChild.remove()
  if (atEnd) line.scrollIntoView()
}

function showMembers(names) {
  const items = names.map((name) =>
    Object.assign(document.createElement('li'), { textContent: name === me ? `${name} (you)` : name }),
  )
  element('members').replaceChildren(...items)
}

function setState(text, className = '') {
  element('state').textContent = text
  element('state').className = className
}
