import { control } from './control.ts'
import { listen } from './echo.ts'
import { startSdk } from './sdk.ts'
import { echoWithSdkCalls, processDuration } from './sdk-calls.ts'

const sdk = startSdk({ sampled: true, withMetrics: true })
const { server, port } = listen()
echoWithSdkCalls(server, processDuration())
control(port, sdk)
