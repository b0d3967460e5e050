import type { IFlattenedRuleSet, IForbiddenRuleType } from 'dependency-cruiser'

/** The packages that the source of each package may import: the arrows of docs/architecture.md. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ws: ['core'],
  fastify: ['ws', 'core'],
  crossws: ['core'],
  hono: ['ws', 'core'],
  'socket.io': ['core'],
  nestjs: ['socket.io', 'ws', 'core'],
  client: ['core'],
  instrumentation: ['ws', 'fastify', 'socket.io', 'nestjs', 'crossws', 'hono', 'client', 'core'],
  testing: [],
  testkit: ['testing'],
  services: [],
}

/**
 * Hosts are peers of the adapters: only their types are imported. Not so of `@nestjs/common` and `@nestjs/core`, whose
 * decorators and injection tokens are values that every module of an application has from the same copy.
 */
const HOSTS = [
  'ws',
  'fastify',
  '@fastify/websocket',
  'socket.io',
  'crossws',
  'hono',
  '@nestjs/websockets',
  '@nestjs/platform-[^/]+',
]

/** The layers of core: each folder, or file, may import those before it. */
const CORE_LAYERS = [
  'schema.ts',
  'api',
  'span',
  'close',
  'propagation',
  'protocols',
  'options',
  'metrics',
  'context',
  'services',
  'broadcast',
  'outgoing',
  'operations',
  'connection',
  'handshake',
  'telemetry.ts',
  'client',
  'node',
]

const CORE = '^packages/core/src/'

const layers = CORE_LAYERS.map((name, index): IForbiddenRuleType => {
  const higher = CORE_LAYERS.slice(index + 1)
  return {
    name: `layer-${name}`,
    severity: 'error',
    from: { path: `${CORE}${name.replace('.', '\\.')}(/|$)` },
    to: { path: `${CORE}(${[...higher, '(index|adapter|client|node)\\.ts'].join('|')})(/|$)` },
  }
})

/** Apps that other apps build on. */
const SHARED_APPS = ['viewer', 'demo-kit']

/** The doors of packages: the files that others may import. */
const DOORS = [
  '^packages/[^/]+/src/(index|adapter)\\.ts$',
  '^packages/core/src/(client|node|schema)\\.ts$',
  '^packages/client/src/socket\\.io\\.ts$',
  '^packages/testing/src/(vitest|jest)\\.ts$',
  '^packages/testkit/src/(index|suites|browser|differential/index)\\.ts$',
  '^apps/demo-kit/src/(testing|page)\\.ts$',
  '^apps/[^/]+/src/index\\.ts$',
]

const alternatives = (names: readonly string[]): string => names.map((name) => name.replaceAll('.', '\\.')).join('|')

const arrows = Object.entries(ARROWS).map(([name, targets]): IForbiddenRuleType => {
  const own = alternatives([name])
  return {
    name: `arrows-of-${name}`,
    severity: 'error',
    from: { path: `^packages/(${own})/src/` },
    to: { path: '^packages/', pathNot: `^packages/(${alternatives([name, ...targets])})/` },
  }
})

/** Rules of dependency-cruiser for the whole repository. Paths are relative to its root. */
export const rules: IFlattenedRuleSet = {
  forbidden: [
    ...arrows,
    ...layers,
    {
      name: 'core-imports-the-api-only',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { pathNot: ['^packages/core/src/', '(^|/)node_modules/@opentelemetry/api/'] },
    },
    {
      name: 'known-packages-only',
      severity: 'error',
      from: { path: '^packages/', pathNot: `^packages/(${alternatives(Object.keys(ARROWS))})/` },
      to: {},
    },
    {
      name: 'testkit-knows-no-package',
      severity: 'error',
      from: { path: '^packages/testkit/' },
      to: { path: '^(packages|apps|bench|scripts)/', pathNot: '^packages/(testkit|testing)/' },
    },
    {
      name: 'tools-know-no-suite',
      severity: 'error',
      from: { path: '^packages/testkit/src/testing/' },
      to: { path: '^packages/testkit/', pathNot: '^packages/testkit/src/testing/' },
    },
    {
      // Tests for any host see its sockets through `HostSocket`; those for `ws` alone have a folder of their own.
      name: 'suites-of-any-host',
      severity: 'error',
      from: { path: '^packages/testkit/src/(sockets/(handshake|connection)|events/(handshake|connection))/' },
      to: { path: '(^|/)node_modules/(@types/)?ws/' },
    },
    {
      name: 'testkit-in-tests-only',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src/', pathNot: ['^packages/testkit/', '^apps/demo-kit/src/testing/'] },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'through-the-doors',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: { path: '^(packages|apps)/', pathNot: ['^$1/$2/', ...DOORS] },
    },
    {
      name: 'through-the-doors-from-outside',
      severity: 'error',
      from: { path: '^(bench|scripts)/' },
      to: {
        path: '^(packages|apps)/',
        // Documents are generated from these.
        pathNot: [
          ...DOORS,
          '^packages/core/src/schema\\.ts$',
          '^packages/core/src/options/(environment|spec|specs)\\.ts$',
          '^packages/[^/]+/test/(native-)?harness\\.ts$',
        ],
      },
    },
    {
      name: 'nothing-imports-apps',
      severity: 'error',
      from: { path: '^(packages|bench|scripts)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-share-by-intent',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: ['^apps/$1/', `^apps/(${alternatives(SHARED_APPS)})/`] },
    },
    {
      name: 'nothing-imports-bench-or-scripts',
      severity: 'error',
      from: { path: '^(packages|apps)/' },
      to: { path: '^(bench|scripts)/' },
    },
    {
      name: 'host-types-only',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: '^packages/(testkit|testing)/' },
      to: {
        path: `(^|/)node_modules/(@types/)?(${alternatives(HOSTS)})/`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '(^|/)node_modules/', dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-dependency-in-source',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'npm', 'type-only'] },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
}
