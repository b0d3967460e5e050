import { traceSocket } from '@otel-ws/client/socket.io'
import { act, startPageTelemetry } from '@otel-ws/demo-kit/page'
import { io } from 'socket.io-client'

const element = (id) => document.getElementById(id)
const lines = element('lines')

let socket
let me = ''

await startPageTelemetry('socketio-chat page')

element('login-form').addEventListener('submit', (event) => {
  event.preventDefault()
  enter(element('name').value, element('room').value)
})

element('leave').addEventListener('click', () => {
  socket.disconnect()
  location.reload()
})

element('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = element('text').value
  const [, to, secret] = /^\/to (\S+) (.+)$/.exec(text) ?? []
  if (to === undefined) act('click say', () => socket.emit('say', text))
  else act('click whisper', () => whisper(to, secret))
  element('text').value = ''
})

for (const button of document.querySelectorAll('[data-try]')) {
  button.addEventListener('click', () => act(`click ${button.dataset.try}`, attempts[button.dataset.try]))
}

const attempts = {
  announce: () => socket.emit('announce', 'hello, all of you'),
  async poll() {
    const { yes, votes } = await socket.emitWithAck('poll', 'shall we?')
    addLine('', `${yes} of ${votes} said yes`, 'note')
  },
  async search() {
    const matches = await socket.emitWithAck('search', 'coffee')
    addLine('', `who said “coffee” on this node: ${matches.join(' / ') || 'nobody'}`, 'note')
  },
  translate: () => socket.emit('translate', 'hello'),
  reload: () => socket.emit('reload'),
}

async function whisper(to, text) {
  const found = await socket.emitWithAck('whisper', to, text)
  if (found) addLine(`you to ${to}`, text, 'private')
  else addLine('error', `${to} is not here`, 'bad')
}

function enter(name, room) {
  // Traced before it connects, so that the request takes the trace to the server.
  socket = traceSocket(io({ auth: { name }, autoConnect: false }))
  socket.on('connect', async () => {
    me = name
    element('login').hidden = true
    element('chat').hidden = false
    element('title').textContent = `${name} in ${room}`
    setState('connected')
    showMembers(await socket.emitWithAck('enter', room))
    element('text').focus()
  })
  socket.on('connect_error', (error) => {
    if (socket.active) setState('connecting again', 'bad')
    else element('login-error').textContent = error.message
  })
  socket.on('disconnect', (reason) => setState(`disconnected: ${reason}`, 'bad'))
  socket.on('entered', (user) => addLine('', `${user} came in`, 'note'))
  socket.on('left', (user) => addLine('', `${user} left`, 'note'))
  socket.on('said', ({ from, text }) => addLine(from, text))
  socket.on('whispered', ({ from, text }) => addLine(`${from} to you`, text, 'private'))
  socket.on('announced', ({ from, text }) => addLine(`${from} to all`, text))
  socket.on('vote', (question, answer) => {
    addLine('', `you vote yes on “${question}”`, 'note')
    answer(true)
  })
  socket.on('failed', (message) => addLine('error', message, 'bad'))
  act('enter', () => socket.connect())
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
