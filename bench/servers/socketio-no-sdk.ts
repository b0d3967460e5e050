import { control } from './control.ts'
import { tracedSocketIoEcho } from './socketio-traced.ts'

control(tracedSocketIoEcho())
