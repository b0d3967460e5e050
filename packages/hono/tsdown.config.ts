import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({ doors: { index: 'src/index.ts' }, platform: 'node' })
