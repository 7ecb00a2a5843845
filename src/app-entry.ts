import { setTimeout as wait } from 'node:timers/promises';

/** The light half of the app: what a door needs before it knows whether the heavy half has to be loaded. */
export { clearStaleSocket, findWorkspace } from './workspace/locate.ts';

/** Resolves after `ms` milliseconds. */
export async function pause(ms: number): Promise<void> {
  await wait(ms);
}
