import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({
  doors: { index: 'src/index.ts', browser: 'src/browser.ts', 'socket.io': 'src/socket.io.ts' },
  platform: 'neutral',
})
