import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { registerBySecret } from './accounts.ts';
import type { Homeserver } from './accounts.ts';

const SERVE = join(dirname(fileURLToPath(import.meta.url)), 'serve.py');
const SERVER_NAME = 'baton.test';
const START_MS = 60_000;

/** A homeserver of one's own, with an empty database. */
export interface OwnHomeserver extends Homeserver {
  /** Lets whoever knows it register accounts, also a program that is only told the URL. */
  readonly secret: string;
  /** Down, with everything it holds kept for the next `start`. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Down for good; nothing is left of it. */
  stop(): Promise<void>;
}

export interface SynapseOptions {
  /** `default`: Synapse's own, one message in five seconds after ten at once. `raised`: none that a test would meet. */
  readonly rateLimits: 'default' | 'raised';
  /** 0, the default: a free one. */
  readonly port?: number;
}

/** Starts Synapse on the loopback interface and waits until it answers. Throws with the end of its log when it does not. */
export async function startSynapse(python: string, options: SynapseOptions): Promise<OwnHomeserver> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-synapse-'));
  const port = await freePort(options.port ?? 0);
  const secret = randomBytes(16).toString('hex');
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'homeserver.yaml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(settings(folder, port, secret, options), undefined, 2));
  writeFileSync(join(folder, 'log.yaml'), JSON.stringify(LOGGING(join(folder, 'synapse.log'))));

  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(python, [SERVE, '-c', config], { cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] });
    await answering(child, url, join(folder, 'synapse.log'));
  };
  const halt = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    const late = new AbortController();
    void pause(5_000, undefined, { signal: late.signal }).then(
      () => running.kill('SIGKILL'),
      () => undefined,
    );
    await ended;
    late.abort();
  };
  const stop = async (): Promise<void> => {
    await halt();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, serverName: SERVER_NAME, secret, register: registerBySecret(url, secret), start, halt, stop };
}

/** The wanted port, or any; throws when somebody else listens there, whom everybody would take for this homeserver. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
    throw new Error(`port ${wanted} ${reason}`, { cause: error });
  }
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port on the loopback interface');
  return address.port;
}

/** It is there once it answers; asked again and again, as long as its process lives. */
async function answering(child: ChildProcess, url: string, logFile: string): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-2_000)));
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${url}/_matrix/client/versions`).catch(() => undefined);
    if (answer?.ok === true) return;
    await pause(50);
  }
  const why = child.exitCode === null ? `did not answer within ${START_MS / 1000} s` : `ended with ${child.exitCode}`;
  child.kill('SIGKILL');
  throw new Error(`Synapse ${why}: ${errors}${endOf(logFile)}`);
}

function endOf(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').slice(-2_000);
  } catch {
    return '';
  }
}

const UNLIMITED = { per_second: 10_000, burst_count: 10_000 };

function settings(folder: string, port: number, secret: string, { rateLimits }: SynapseOptions): object {
  return {
    server_name: SERVER_NAME,
    pid_file: join(folder, 'synapse.pid'),
    listeners: [{ port, bind_addresses: ['127.0.0.1'], type: 'http', tls: false, resources: [{ names: ['client'] }] }],
    database: { name: 'sqlite3', args: { database: join(folder, 'homeserver.db') } },
    log_config: join(folder, 'log.yaml'),
    media_store_path: join(folder, 'media'),
    signing_key_path: join(folder, 'signing.key'),
    registration_shared_secret: secret,
    macaroon_secret_key: randomBytes(16).toString('hex'),
    form_secret: randomBytes(16).toString('hex'),
    report_stats: false,
    trusted_key_servers: [],
    // Nothing leaves this machine.
    federation_domain_whitelist: [],
    url_preview_enabled: false,
    presence: { enabled: false },
    password_config: { enabled: true },
    bcrypt_rounds: 4,
    ...(rateLimits === 'raised' ? RAISED : {}),
  };
}

const RAISED = {
  rc_message: UNLIMITED,
  rc_registration: UNLIMITED,
  rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
  rc_joins: { local: UNLIMITED, remote: UNLIMITED },
  rc_joins_per_room: UNLIMITED,
  rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED, per_issuer: UNLIMITED },
  rc_room_creation: UNLIMITED,
};

const LOGGING = (filename: string): object => ({
  version: 1,
  formatters: { plain: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
  handlers: { file: { class: 'logging.FileHandler', formatter: 'plain', filename } },
  root: { level: 'WARNING', handlers: ['file'] },
  disable_existing_loggers: false,
});
