import { runCli } from '../../../src/doors/cli/main.ts';
import type { Io } from '../../../src/doors/cli/session.ts';
import { fakeApp, type FakeApp, type FakeAppOptions } from '../fake-app.ts';
import { tempWorkspace } from '../temp.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Terminal {
  readonly root: string;
  readonly app: FakeApp;
  readonly run: (...argv: readonly string[]) => Promise<Ran>;
}

/** A workspace whose app is the fake one, and a command line in it that is called as a function. */
export function terminal(
  options: FakeAppOptions = {},
  world: Partial<Pick<Io, 'cwd' | 'env' | 'terminal' | 'stdin' | 'load'>> = {},
): Terminal {
  const root = tempWorkspace();
  const app = fakeApp({ root, ...options });
  const run = async (...argv: readonly string[]): Promise<Ran> => {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCli(argv, {
      env: {},
      cwd: root,
      stdin: () => Promise.resolve(''),
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      terminal: { stdout: false, columns: 100 },
      load: {
        app: () =>
          Promise.resolve({
            openApp: () => Promise.resolve(app),
            startNode: () => Promise.resolve(app),
            lookAt: (_options, call) => app.call(call),
            initWorkspace: ({ dir }) => Promise.resolve({ root: dir, created: ['baton.json'], notes: ['ready to go'] }),
          }),
        demo: () => Promise.resolve({ runDemo: () => Promise.resolve(0) }),
        chaos: () => Promise.resolve({ runChaos: () => Promise.resolve(0) }),
        mergeDriver: () =>
          Promise.resolve({
            driveMerge: () => Promise.resolve(true),
            examineMerging: () => Promise.resolve({ ok: true, detail: 'git merges by baton' }),
          }),
      },
      ...world,
    });
    return { code, stdout: out.join(''), stderr: err.join('') };
  };
  return { root, app, run };
}
