const { Server } = require('ws-unsupported')

const wss = new Server({ port: 0, host: '127.0.0.1' })
wss.on('connection', (socket) => {
  socket.on('message', (data) => {
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })
})
wss.on('listening', () => process.stdout.write(`${wss.address().port}\n`))
