import { beforeAll, describe, inject } from 'vitest';
import { findHomeserver } from '../../../src/demo/homeserver/find.ts';
import { startSynapse } from '../../../src/demo/homeserver/server.ts';
import type { OwnHomeserver, SynapseOptions } from '../../../src/demo/homeserver/server.ts';
import type { Homeserver } from './accounts.ts';
import { sharedHomeserver } from './shared.ts';

const found = await findHomeserver(process.env);

/** Skips what `body` describes, and says why in its name. The reporter repeats it after the run. */
function skipped(name: string, missing: string, body: () => void): void {
  describe.skip(`${name} (skipped: ${missing})`, body);
}

/** Tests on a real homeserver, which is there from their first to their last, and which others use at the same time. */
export function onHomeserver(name: string, body: (homeserver: () => Homeserver) => void): void {
  if ('missing' in found) return skipped(name, found.missing, () => body(unavailable));
  if ('foreign' in found) return void describe(name, () => body(() => found.foreign));
  describe(name, () => {
    let server: Homeserver | undefined;
    beforeAll(async () => {
      server = await sharedHomeserver(inject('homeserver'));
    });
    body(() => server ?? unavailable());
  });
}

/** As `onHomeserver`, for tests that stop it, or that need its limits to be as they are. */
export function onOwnHomeserver(
  name: string,
  options: SynapseOptions,
  body: (homeserver: () => OwnHomeserver) => void,
): void {
  if ('missing' in found) return skipped(name, found.missing, () => body(unavailable));
  if ('foreign' in found) {
    return skipped(name, 'it needs a Synapse of its own, and BATON_TEST_HOMESERVER is set', () => body(unavailable));
  }
  const { own } = found;
  describe(name, () => {
    let server: OwnHomeserver | undefined;
    beforeAll(async () => {
      server = await startSynapse(own, options);
      return () => server?.stop();
    });
    body(() => server ?? unavailable());
  });
}

function unavailable(): never {
  throw new Error('the homeserver runs only while its tests do');
}
