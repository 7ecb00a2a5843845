import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cleanEnvironment } from '../support/baton.ts';
import type { Run } from '../support/baton.ts';

/**
 * A host of its own as far as Linux can make one without a machine: a network namespace with one address, a host name,
 * a home, and a folder; it does not see the folders of the others, so nothing but the network leads from one to another.
 */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** What belongs to it; absolute. */
  readonly dir: string;
  /** Starts a program there. Whoever starts it ends it. */
  start(words: readonly string[], options?: HostOptions): ChildProcess;
  /** Runs a program there to its end; an exit code is an answer. */
  run(words: readonly string[], options?: HostOptions): Promise<Run>;
}

export interface HostOptions {
  /** Below the host's own folder. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Network {
  /** Real, with a short path, so that sockets fit into it; the hosts' folders are in it, by their names. */
  readonly folder: string;
  host(name: string): Host;
  /** Takes the host's cable out of the switch. */
  cut(name: string): void;
  mend(name: string): void;
}

/** Why no hosts can be made here, in words; `undefined` when they can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const probe = `bh-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('-n', probe, 'link', 'add', 'probe', 'type', 'bridge');
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: Buffer };
    if (code === 'ENOENT') return 'there is no `ip`: apt-get install iproute2';
    return `the kernel makes no network namespaces with a bridge: ${String(stderr).trim()}`;
  } finally {
    quietly(() => ip('netns', 'del', probe));
  }
}

/** Makes the hosts, each with its cable in one switch. They and all that runs in them are gone with `stack`. */
export function makeNetwork(stack: AsyncDisposableStack, names: readonly string[]): Network {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bh-')));
  const id = basename(folder);
  const wires = `${id}-switch`;
  const spaces: string[] = [];
  const children = new Set<ChildProcess>();
  const clear = (): void => {
    for (const child of children) child.kill('SIGKILL');
    for (const space of spaces) quietly(() => ip('netns', 'del', space));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // A run that is broken off leaves nothing behind either.
  process.once('exit', clear);
  stack.defer(() => {
    process.off('exit', clear);
    clear();
  });
  const add = (space: string): void => {
    ip('netns', 'add', space);
    spaces.push(space);
  };
  add(wires);
  ip('-n', wires, 'link', 'add', 'switch', 'type', 'bridge');
  ip('-n', wires, 'link', 'set', 'switch', 'up');
  const hosts = new Map<string, Host>();
  for (const [index, name] of names.entries()) {
    const own = `${id}-${name}`;
    const address = `10.77.0.${index + 1}`;
    add(own);
    ip('link', 'add', 'eth0', 'netns', own, 'type', 'veth', 'peer', 'name', name, 'netns', wires);
    ip('-n', wires, 'link', 'set', name, 'master', 'switch', 'up');
    ip('-n', own, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', own, 'link', 'set', device, 'up');
    const hidden = names.filter((other) => other !== name).map((other) => join(folder, other));
    hosts.set(name, makeHost({ name, address, dir: join(folder, name), space: own, hidden }, children));
  }
  return {
    folder,
    host(name) {
      const found = hosts.get(name);
      if (found === undefined) throw new Error(`there is no host ${name}`);
      return found;
    },
    cut: (name) => ip('-n', wires, 'link', 'set', name, 'down'),
    mend: (name) => ip('-n', wires, 'link', 'set', name, 'up'),
  };
}

interface Place extends Pick<Host, 'name' | 'address' | 'dir'> {
  readonly space: string;
  /** Folders of other hosts. */
  readonly hidden: readonly string[];
}

function makeHost({ name, address, dir, space, hidden }: Place, children: Set<ChildProcess>): Host {
  const [home, temporary] = [join(dir, 'home'), join(dir, 'tmp')];
  for (const path of [home, temporary]) mkdirSync(path, { recursive: true });
  const script = [
    `hostname ${name}`,
    ...['/run', ...hidden].map((path) => `mount -t tmpfs none '${path}'`),
    // Where the SSH server wants to find an empty folder.
    'mkdir -m 755 /run/sshd',
    'exec "$@"',
  ].join(' && ');
  const env = { ...cleanEnvironment(), HOME: home, TMPDIR: temporary, XDG_RUNTIME_DIR: temporary };
  const start: Host['start'] = (words, options = {}) => {
    // Each of these becomes the next, so the process is that of the program itself.
    const way = ['netns', 'exec', space, 'unshare', '--mount', '--uts', 'sh', '-c', script, 'sh'];
    const child = spawn('ip', [...way, ...words], {
      cwd: join(dir, options.cwd ?? '.'),
      env: { ...env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  return {
    name,
    address,
    dir,
    start,
    run: (words, options) =>
      new Promise((resolve, reject) => {
        const child = start(words, options);
        let [stdout, stderr] = ['', ''];
        child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
        child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
        child.once('error', reject);
        child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
      }),
  };
}

const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // What is to go may never have been there.
  }
}
