import { packageBuild } from '../../tsdown.shared.ts'

export default packageBuild({
  doors: { index: 'src/index.ts', adapter: 'src/adapter.ts', client: 'src/client.ts', node: 'src/node.ts' },
  platform: 'neutral',
})
