import { control } from './control.ts'
import { socketIoEcho } from './socketio.ts'

control(socketIoEcho())
