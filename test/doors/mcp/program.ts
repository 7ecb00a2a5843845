import process from 'node:process';
import { serveMcp } from '../../../src/doors/mcp/serve.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { fakeApp } from '../fake-app.ts';

/** `baton mcp` as a process, on the fake app; says on standard error when its node has stopped. */
const [root = '', mode = ''] = process.argv.slice(2);

const app = fakeApp({ root, answer: async ({ tool, action }) => ({ ok: true, tool, action }) });
const none = (): Promise<never> => Promise.reject(new Error('not this'));

try {
  await serveMcp({
    root,
    env: {},
    load: {
      app: async () => ({
        openApp: none,
        startNode: () =>
          mode === 'broken' ? Promise.reject(new FlowError('bad-config', 'baton.json: no')) : Promise.resolve(app),
        initWorkspace: none,
      }),
    },
    note: (text) => process.stderr.write(`${text}\n`),
  });
} catch (error) {
  process.stderr.write(`failed: ${String(error)}\n`);
  process.exitCode = 1;
}
process.stderr.write(`stopped ${app.state.stopped}\n`);
