import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({
  doors: { index: 'src/index.ts', vitest: 'src/vitest.ts', jest: 'src/jest.ts' },
  platform: 'node',
})
