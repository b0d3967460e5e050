import './language.ts'
import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.tsx'
import './style/theme.css'
import './style/base.css'
import './style/frame.css'
import './style/highlights.css'
import './style/lists.css'
import './style/pane.css'
import './style/timeline.css'
import './style/metrics.css'
import './style/help.css'
import './style/narrow.css'
import { applyTheme } from './theme.ts'

applyTheme()
render(<App />, document.getElementById('app')!)
