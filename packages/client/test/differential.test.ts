import { differentialSuite } from '@otel-ws/testkit/differential'
import { kinds } from './clients.ts'
import { socketIoSubject } from './differential/socket.io.ts'
import { clientSubject } from './differential/sockets.ts'

differentialSuite([...kinds.map(clientSubject), socketIoSubject])
