import { copyFileSync, globSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import type { Plugin } from 'rolldown';
import { noticesOf } from './notices.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Makes the program as it is installed, in a folder that holds nothing else afterwards: a few files in place of some hundred
 * modules, which took most of the time of a short command (docs/decisions/0046). The Matrix library stays outside: it looks for
 * a file of its own beside itself, and is loaded only where there is a homeserver.
 */
export async function buildProgram(folder: string): Promise<void> {
  await build({
    cwd: ROOT,
    input: { bin: 'src/bin.ts', index: 'src/index.ts' },
    platform: 'node',
    external: [/^node:/, /^matrix-js-sdk(?:\/|$)/],
    plugins: [python, notices],
    output: {
      dir: folder,
      cleanDir: true,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  });
}

/** What the homeserver of the demo is installed and run by, beside the chunk that looks for it. */
const python: Plugin = {
  name: 'python',
  writeBundle({ dir = 'dist' }) {
    for (const file of globSync('src/demo/homeserver/*.py', { cwd: ROOT })) {
      copyFileSync(join(ROOT, file), join(resolve(ROOT, dir), basename(file)));
    }
  },
};

/** What comes from others comes with their licences. */
const notices: Plugin = {
  name: 'notices',
  generateBundle(_, files) {
    const modules = Object.values(files).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY.txt', source: noticesOf(modules) });
  },
};

if (import.meta.main) await buildProgram('dist');
