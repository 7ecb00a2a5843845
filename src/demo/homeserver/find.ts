import { foreignHomeserver } from './accounts.ts';
import type { Homeserver } from './accounts.ts';
import { installSynapse } from './install.ts';

/** Where a homeserver comes from: a Synapse to be started by this interpreter, or one that was named and is there. */
export type Source =
  | { readonly own: string }
  | { readonly foreign: Homeserver }
  /** Why there is none, in one line. */
  | { readonly missing: string };

/**
 * The homeserver that `BATON_TEST_HOMESERVER` names (with `BATON_TEST_HOMESERVER_SECRET` where strangers may not
 * register), else a Synapse of one's own.
 */
export async function findHomeserver(env: NodeJS.ProcessEnv): Promise<Source> {
  const given = env['BATON_TEST_HOMESERVER'] ?? '';
  if (given === '') {
    const installed = await installSynapse();
    return 'python' in installed
      ? { own: installed.python }
      : { missing: `no homeserver: ${installed.missing}; BATON_TEST_HOMESERVER may name one` };
  }
  try {
    return { foreign: await foreignHomeserver(given, env['BATON_TEST_HOMESERVER_SECRET']) };
  } catch (error) {
    return { missing: `BATON_TEST_HOMESERVER: ${error instanceof Error ? error.message : String(error)}` };
  }
}
