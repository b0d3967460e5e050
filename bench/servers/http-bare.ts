import { control } from './control.ts'
import { listen } from './http.ts'

control(listen())
