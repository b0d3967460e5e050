import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({ doors: { index: 'src/index.ts', register: 'src/register.ts' }, platform: 'node' })
