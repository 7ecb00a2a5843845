import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const HOME = fileURLToPath(new URL('../../../.cache/element', import.meta.url));

/** Element Web itself is not on npm; all that it shows is. Pinned to its last release, and to what fits that. */
const PARTS = {
  private: true,
  dependencies: {
    'matrix-react-sdk': '3.114.0',
    '@vector-im/compound-web': '7.0.0',
    'matrix-web-i18n': '3.6.0',
    buffer: '6.0.3',
    events: '3.3.0',
    util: '0.12.5',
    esbuild: '0.28.2',
    postcss: '8.5.33',
    'postcss-easings': '4.0.0',
    'postcss-hexrgba': '2.1.0',
    'postcss-import': '16.2.0',
    'postcss-mixins': '12.1.2',
    'postcss-nested': '7.0.2',
    'postcss-scss': '4.0.9',
    'postcss-simple-vars': '7.0.1',
  },
  overrides: {
    '@floating-ui/react': '0.26.11',
    '@radix-ui/react-id': '1.1.0',
    'jwt-decode': '4.0.0',
    'oidc-client-ts': '3.0.1',
    react: '17.0.2',
    'react-dom': '17.0.2',
  },
};

const SOURCES = ['build.mjs', 'shell.mjs'];

/** The folder of Element's web client, built under `.cache/` unless it is there: two minutes once. */
export async function buildElement(): Promise<string> {
  const manifest = JSON.stringify(PARTS, undefined, 2);
  const sources = SOURCES.map((name) => readFileSync(join(HERE, name), 'utf8'));
  const wanted = createHash('sha256')
    .update([manifest, ...sources].join('\0'))
    .digest('hex');
  const ready = join(HOME, 'ready');
  const webapp = join(HOME, 'webapp');
  if (existsSync(ready) && readFileSync(ready, 'utf8') === wanted) return webapp;
  mkdirSync(HOME, { recursive: true });
  for (const name of SOURCES) cpSync(join(HERE, name), join(HOME, name));
  writeFileSync(join(HOME, 'buffer.mjs'), "export { Buffer } from 'buffer/';\n");
  writeFileSync(join(HOME, 'package.json'), manifest);
  const run = promisify(execFile);
  const flags = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags], { cwd: HOME, maxBuffer: 16 * 1024 * 1024 });
  await run(process.execPath, ['build.mjs'], { cwd: HOME, maxBuffer: 16 * 1024 * 1024 });
  writeFileSync(ready, wanted);
  return webapp;
}
