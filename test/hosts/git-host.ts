import { execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/waiting.ts';
import type { Host } from './network.ts';

export type Transport = 'ssh' | 'http';

const SSHD = '/usr/sbin/sshd';
const HTTP_PORT = 8080;

/** Over SSH where the machine has a server for it, else over HTTP, for which git itself brings one. */
export const bestTransport = (): Transport => (existsSync(SSHD) ? 'ssh' : 'http');

/** The team's repository on a host of its own, and what others need to reach it. */
export interface GitHost {
  readonly transport: Transport;
  readonly url: string;
  /** The bare repository, for whoever looks in at the end. */
  readonly repository: string;
  /** For `host`: how its git calls get in. Keys are handed over here. */
  envFor(host: Host): NodeJS.ProcessEnv;
}

export async function serveTeam(stack: AsyncDisposableStack, host: Host, transport: Transport): Promise<GitHost> {
  const repository = join(host.dir, 'team.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
  const served = transport === 'ssh' ? overSsh(host, repository) : overHttp(host, repository);
  const child = served.start();
  stack.defer(() => ended(child));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const env = served.envFor(host);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the server of the repository ended: ${said}`);
    const { code } = await host.run(['git', 'ls-remote', served.url], { env });
    return code === 0 || undefined;
  }, 'the host of the repository answers');
  return { transport, repository, url: served.url, envFor: served.envFor };
}

interface Served extends Pick<GitHost, 'url' | 'envFor'> {
  start(): ChildProcess;
}

function overSsh(host: Host, repository: string): Served {
  const dir = join(host.dir, 'ssh');
  mkdirSync(dir);
  const key = (name: string): string => {
    const file = join(dir, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    return file;
  };
  const [hostKey, userKey] = [key('host'), key('user')];
  const config = join(dir, 'sshd_config');
  writeFileSync(
    config,
    [
      `ListenAddress ${host.address}:22`,
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${userKey}.pub`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      // The folders above belong to whoever runs this.
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      '',
    ].join('\n'),
  );
  return {
    url: `ssh://root@${host.address}${repository}`,
    start: () => host.start([SSHD, '-D', '-e', '-f', config]),
    envFor: ({ dir: own }) => {
      const [mine, known] = [join(own, 'key'), join(own, 'known_hosts')];
      copyFileSync(userKey, mine);
      const [type, text] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
      writeFileSync(known, `${host.address} ${type} ${text}\n`);
      return { GIT_SSH_COMMAND: `ssh -F none -i ${mine} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known}` };
    },
  };
}

function overHttp(host: Host, repository: string): Served {
  const server = fileURLToPath(new URL('http-server.ts', import.meta.url));
  return {
    url: `http://${host.address}:${HTTP_PORT}/team.git`,
    start: () => host.start([process.execPath, server, host.address, String(HTTP_PORT), join(repository, '..')]),
    envFor: () => ({}),
  };
}

/** Ends what was started, and resolves when it is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}
