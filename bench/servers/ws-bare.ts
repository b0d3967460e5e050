import { control } from './control.ts'
import { echo, listen } from './echo.ts'

const { server, port } = listen()
server.on('connection', echo)
control(port)
