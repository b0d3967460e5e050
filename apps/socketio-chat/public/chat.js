import { traceSocket } from '@otel-ws/client/socket.io'
import { act, chatView, startPageTelemetry } from '@otel-ws/demo-kit/page'
import { io } from 'socket.io-client'

let socket
let members = []

await startPageTelemetry('socketio-chat page')

const view = chatView({
  title: 'socketio-chat',
  enter,
  say: (text) => socket.emit('say', text),
  async whisper(to, text) {
    const found = await socket.emitWithAck('whisper', to, text)
    if (found) view.addLine(`you to ${to}`, text, 'private')
    else view.addLine('error', `${to} is not here`, 'bad')
  },
  attempts: {
    'announce to all': () => socket.emit('announce', 'hello, all of you'),
    async 'ask all clients'() {
      const { yes, votes } = await socket.emitWithAck('poll', 'shall we?')
      view.addLine('', `${yes} of ${votes} said yes`, 'note')
    },
    async 'slow search'() {
      const matches = await socket.emitWithAck('search', 'coffee')
      view.addLine('', `messages with “coffee” on this node: ${matches.join(' / ') || 'none'}`, 'note')
    },
    'failing translation': () => socket.emit('translate', 'hello'),
    'reload all nodes': () => socket.emit('reload'),
  },
  leave() {
    socket.disconnect()
    location.reload()
  },
})

function enter(name, room) {
  // Traced before it connects, so that the first request has the trace context.
  socket = traceSocket(io({ auth: { name }, autoConnect: false }))
  socket.on('connect', async () => {
    view.showRoom(name, room)
    show(await socket.emitWithAck('enter', room))
  })
  socket.on('connect_error', (error) => {
    if (socket.active) view.showState('reconnecting', 'bad')
    else view.refuse(error.message)
  })
  socket.on('disconnect', (reason) => view.showState(`disconnected: ${reason}`, 'bad'))
  socket.on('entered', (user) => {
    view.addLine('', `${user} joined`, 'note')
    show([...members, user])
  })
  socket.on('left', (user) => {
    view.addLine('', `${user} left`, 'note')
    show(members.filter((member) => member !== user))
  })
  socket.on('said', ({ from, text }) => view.addLine(from, text))
  socket.on('whispered', ({ from, text }) => view.addLine(`${from} to you`, text, 'private'))
  socket.on('announced', ({ from, text }) => view.addLine(`${from} to all`, text))
  socket.on('vote', (question, answer) => {
    view.addLine('', `you vote yes on “${question}”`, 'note')
    answer(true)
  })
  socket.on('failed', (message) => view.addLine('error', message, 'bad'))
  act('enter', () => socket.connect())
}

function show(names) {
  members = names
  view.showMembers(members)
}
