import { control } from './control.ts'
import { listen } from './echo.ts'
import { startSdk } from './sdk.ts'
import { echoUnsampledWithSdkCalls } from './sdk-calls.ts'

const sdk = startSdk({ sampled: false, withMetrics: false })
const { server, port } = listen()
echoUnsampledWithSdkCalls(server)
control(port, sdk)
