import { Server } from 'node:http'
import { watchUpgrades } from '@otel-ws/ws/adapter'
import { control } from './control.ts'
import { listen } from './http.ts'

// As the zero-code entry does it, for every server of the process.
watchUpgrades(Server.prototype, () => undefined)
control(listen())
