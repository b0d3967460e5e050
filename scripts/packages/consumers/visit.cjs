const { once } = require('node:events')
const { WebSocket } = require('ws')

/** Connects, sends one message, waits for its echo, and returns the open connection. */
exports.visit = async (port, path = '/') => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  await once(socket, 'open')
  socket.send('hello')
  const [echo] = await once(socket, 'message')
  if (echo.toString() !== 'hello') throw new Error(`the echo is ${echo}`)
  return socket
}

/** Closes a connection and resolves when the server's side has emitted its close event too. */
exports.leave = async (socket, serverSocket) => {
  const closed = Promise.all([once(socket, 'close'), once(serverSocket, 'close')])
  socket.close(1000)
  await closed
}
