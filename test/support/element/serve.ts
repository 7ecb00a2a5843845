import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Element on the loopback interface, for one homeserver and without the hints for those who are new to it. */
export async function serveElement(webapp: string, homeserver: string): Promise<{ readonly url: string } & Disposable> {
  const config = JSON.stringify({
    brand: 'Element',
    default_server_config: { 'm.homeserver': { base_url: homeserver, server_name: 'baton.test' } },
    default_theme: 'light',
    disable_guests: true,
    features: { feature_release_announcement: false },
  });
  const server = createServer((request, answer) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const file = join(webapp, normalize(pathname === '/' ? '/index.html' : decodeURIComponent(pathname)));
    const found = pathname === '/config.json' || (existsSync(file) && statSync(file).isFile());
    answer.writeHead(found ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    answer.end(pathname === '/config.json' ? config : found ? readFileSync(file) : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port on the loopback interface');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
