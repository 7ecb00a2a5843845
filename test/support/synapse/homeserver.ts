import { beforeAll, describe } from 'vitest';
import { foreignHomeserver } from './accounts.ts';
import type { Homeserver } from './accounts.ts';
import { installSynapse } from './install.ts';
import { startSynapse } from './server.ts';
import type { OwnHomeserver, SynapseOptions } from './server.ts';

const given = process.env['BATON_TEST_HOMESERVER'];

/** Where tests get their homeserver: a Synapse of their own, or one that `BATON_TEST_HOMESERVER` names. */
type Source = { readonly own: string } | { readonly foreign: Homeserver } | { readonly missing: string };

const found = await find();

async function find(): Promise<Source> {
  if (given === undefined || given === '') {
    const installed = await installSynapse();
    return 'python' in installed
      ? { own: installed.python }
      : { missing: `no homeserver: ${installed.missing}; BATON_TEST_HOMESERVER may name one` };
  }
  try {
    return { foreign: await foreignHomeserver(given, process.env['BATON_TEST_HOMESERVER_SECRET']) };
  } catch (error) {
    return { missing: `BATON_TEST_HOMESERVER: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Skips what `body` describes, and says why in its name. The reporter repeats it after the run. */
function skipped(name: string, missing: string, body: () => void): void {
  describe.skip(`${name} (skipped: ${missing})`, body);
}

/** Tests on a real homeserver, which is there from their first to their last. */
export function onHomeserver(name: string, body: (homeserver: () => Homeserver) => void): void {
  if ('missing' in found) return skipped(name, found.missing, () => body(unavailable));
  if ('foreign' in found) return void describe(name, () => body(() => found.foreign));
  onOwnHomeserver(name, { rateLimits: 'raised' }, body);
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
