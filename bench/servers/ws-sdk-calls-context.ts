import { control } from './control.ts'
import { listen } from './echo.ts'
import { startSdk } from './sdk.ts'
import { echoWithSdkCallsInContext } from './sdk-calls.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
const { server, port } = listen()
echoWithSdkCallsInContext(server)
control(port, sdk)
