import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({ doors: { index: 'src/index.ts', adapter: 'src/adapter.ts' }, platform: 'node' })
