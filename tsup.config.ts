import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/**
 * dockerode loads gRPC, protobuf and SSH for BuildKit sessions and remote engines, which Weir does not
 * use: 12 MB of every Runner's memory. Its build gets empty modules in their place.
 */
const leanDockerode: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'lean-dockerode',
  setup(build) {
    build.onResolve({ filter: /^(@grpc\/.*|protobufjs|ssh2)$/ }, ({ path, importer }) =>
      /node_modules[\\/](dockerode|docker-modem)[\\/]/.test(importer) ? { path, namespace: 'absent' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'module.exports = {};',
    }));
  },
};

export default defineConfig({
  entry: {
    'cli/main': 'src/cli/main.ts',
    'main/up': 'src/main/up.ts',
    'main/host': 'src/main/host.ts',
    'main/runner': 'src/main/runner.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: true,
  dts: false,
  silent: true,
  define: { WEIR_VERSION: JSON.stringify(version) },
  noExternal: ['dockerode', 'docker-modem'],
  esbuildPlugins: [leanDockerode],
  // dockerode is CommonJS: inside an ES module its `require` of Node's own modules must be made.
  banner: {
    js: "import { createRequire as weirRequire } from 'node:module'; const require = weirRequire(import.meta.url);",
  },
});
