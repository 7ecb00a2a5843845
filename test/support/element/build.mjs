// Makes Element's web client out of its published parts: `node build.mjs` where they are installed (see install.ts).
// Leaves `webapp/`. What rooms do not show (voice messages, maps, exports) is left out.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import postcss from 'postcss';
import easings from 'postcss-easings';
import hexrgba from 'postcss-hexrgba';
import imports from 'postcss-import';
import mixins from 'postcss-mixins';
import nested from 'postcss-nested';
import scss from 'postcss-scss';
import variables from 'postcss-simple-vars';

const SDK = 'node_modules/matrix-react-sdk';
const TOKENS = 'node_modules/@vector-im/compound-design-tokens';
const CRYPTO = 'node_modules/@matrix-org/matrix-sdk-crypto-wasm/pkg';
const OUT = 'webapp';

const leftOut = {
  name: 'left out',
  setup(on) {
    const filter = /^(?:opus-recorder|maplibre-gl$|!!raw-loader!|\$webapp\/)|\/RecorderWorklet$/;
    on.onResolve({ filter }, ({ path }) => ({ path, namespace: 'left-out' }));
    on.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `export default ${JSON.stringify(path.startsWith('$webapp') ? path.slice('$webapp'.length) : '')};`,
    }));
  },
};

/** A picture is a component and a URL, as with webpack's svgr. */
const svg = {
  name: 'svg',
  setup(on) {
    on.onLoad({ filter: /\.svg$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const [whole = '', attributes = '', inner = ''] = /<svg([^>]*)>([\s\S]*)<\/svg>/.exec(text) ?? [];
      const props = Object.fromEntries(
        [...attributes.matchAll(/\s([a-z-]+)="([^"]*)"/gi)]
          .filter(([, name]) => name !== 'style' && name !== 'class')
          .map(([, name, value]) => [name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()), value]),
      );
      const fixed = JSON.stringify({ ...props, dangerouslySetInnerHTML: { __html: inner } });
      return {
        resolveDir: dirname(path),
        contents: `import React from 'react';
          export const Icon = React.forwardRef((props, ref) => React.createElement('svg', { ...${fixed}, ref, ...props }));
          export default ${JSON.stringify(`data:image/svg+xml,${encodeURIComponent(whole)}`)};`,
      };
    });
  },
};

const workers = {
  name: 'workers',
  setup(on) {
    on.onLoad({ filter: /\/workers\/\w+Factory\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      resolveDir: dirname(path),
      contents: readFileSync(path, 'utf8').replace(/new URL\("\.\/([\w.]+)\.ts", import\.meta\.url\)/, '"/$1.js"'),
    }));
  },
};

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: {
    bundle: 'shell.mjs',
    'indexeddb.worker': `${SDK}/src/workers/indexeddb.worker.ts`,
    'blurhash.worker': `${SDK}/src/workers/blurhash.worker.ts`,
    'playback.worker': `${SDK}/src/workers/playback.worker.ts`,
  },
  outdir: OUT,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'error',
  inject: ['buffer.mjs'],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  loader: { '.png': 'dataurl', '.gif': 'dataurl', '.woff2': 'file', '.wasm': 'file', '.css': 'empty' },
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false, jsx: 'react' } },
  plugins: [leftOut, svg, workers],
});

cpSync(`${SDK}/res`, `${OUT}/res`, { recursive: true });
cpSync(`${TOKENS}/icons`, `${OUT}/tokens/icons`, { recursive: true });
mkdirSync(`${OUT}/pkg`);
for (const name of readdirSync(CRYPTO)) {
  if (name.endsWith('.wasm')) cpSync(join(CRYPTO, name), `${OUT}/pkg/${name}`);
}
mkdirSync(`${OUT}/i18n`);
cpSync(`${SDK}/src/i18n/strings/en_EN.json`, `${OUT}/i18n/en_EN.json`);
writeFileSync(`${OUT}/i18n/languages.json`, JSON.stringify({ en: 'en_EN.json' }));

const theme = 'res/themes/light/css/light';
const from = `${SDK}/${theme}.pcss`;
const { css } = await postcss([imports(), mixins, variables, nested, easings, hexrgba]).process(
  readFileSync(from, 'utf8'),
  { from, parser: scss },
);
writeFileSync(
  `${OUT}/${theme}.css`,
  css.replaceAll(/url\("?@vector-im\/compound-design-tokens\/([^")]*)"?\)/g, 'url("/tokens/$1")'),
);
writeFileSync(
  `${OUT}/index.html`,
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="theme-color" content="#ffffff"><title>Element</title>
<link rel="stylesheet" href="/${theme}.css" data-mx-theme="light">
</head>
<body style="height: 100%; margin: 0">
<section id="matrixchat" style="height: 100%"></section>
<script>window.global = window; window.process = { env: {} };</script>
<script type="module" src="/bundle.js"></script>
</body>
</html>
`,
);
