const express = require('express')
const { setImmediate } = require('node:timers/promises')

const { app } = require('express-ws')(express())

app.ws('/chat', (socket) => {
  socket.on('message', async (data) => {
    await setImmediate()
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })
})

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
