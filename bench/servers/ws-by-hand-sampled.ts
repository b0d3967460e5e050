import { echoTracedByHand } from './by-hand.ts'
import { control } from './control.ts'
import { listen } from './echo.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
const { server, port } = listen()
echoTracedByHand(server)
control(port, sdk)
