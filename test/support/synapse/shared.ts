import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { installSynapse } from '../../../src/demo/homeserver/install.ts';
import { startSynapse } from '../../../src/demo/homeserver/server.ts';
import type { OwnHomeserver } from '../../../src/demo/homeserver/server.ts';
import { foreignHomeserver } from './accounts.ts';
import type { Homeserver } from './accounts.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the homeserver of a run. */
    readonly homeserver: string;
  }
}

/**
 * One homeserver for all files of a run that only need one to be there: to start one takes longer than many a file. It is
 * started by the first that asks for it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<OwnHomeserver> | undefined;
  const desk = createServer((_, response) => {
    started ??= start();
    started.then(
      ({ url, secret }) => response.end(JSON.stringify({ url, secret })),
      (error: unknown) => response.writeHead(503).end(String(error)),
    );
  });
  desk.listen(0, '127.0.0.1');
  await once(desk, 'listening');
  project.provide('homeserver', `http://127.0.0.1:${(desk.address() as AddressInfo).port}`);
  return async () => {
    desk.close();
    await (await started?.catch(() => undefined))?.stop();
  };
}

async function start(): Promise<OwnHomeserver> {
  const installed = await installSynapse();
  if ('missing' in installed) throw new Error(installed.missing);
  return startSynapse(installed.python, { rateLimits: 'raised' });
}

/** The homeserver of this run; throws with the reason why it does not start. */
export async function sharedHomeserver(desk: string): Promise<Homeserver> {
  const response = await fetch(desk);
  if (!response.ok) throw new Error(`the homeserver of this run does not start: ${await response.text()}`);
  const { url, secret } = (await response.json()) as { readonly url: string; readonly secret: string };
  return foreignHomeserver(url, secret);
}
