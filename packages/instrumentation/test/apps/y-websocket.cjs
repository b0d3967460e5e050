const { createServer } = require('node:http')
const { WebSocketServer } = require('ws')
const { setupWSConnection } = require('y-websocket/bin/utils')

const http = createServer()
const wss = new WebSocketServer({ noServer: true })
wss.on('connection', setupWSConnection)

http.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
})
http.listen(0, '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`))
