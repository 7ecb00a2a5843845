import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Fault, Weather } from './faults.ts';

/** Stands before git in the PATH of a node. It meets fetches and pushes with what its file names, and passes on all else. */
const SCRIPT = `#!/bin/sh
fault=
[ -s "$BATON_CHAOS_FAULT" ] && read -r fault < "$BATON_CHAOS_FAULT"
PATH=$BATON_CHAOS_PATH
[ -n "$fault" ] || exec git "$@"
what=
for word in "$@"; do
  case $word in fetch|push) what=$word; break;; esac
done
[ -n "$what" ] || exec git "$@"
case $fault-$what in
  away-*) echo 'fatal: unable to access the remote: it does not answer' >&2; exit 128;;
  push-lost-push) : > "$BATON_CHAOS_FAULT"; echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128;;
  answer-lost-push) git "$@" > /dev/null 2>&1; echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128;;
  refused-push) printf 'To remote\\n!\\tHEAD:refs/heads/x\\t[remote rejected] (pre-receive hook declined)\\nDone\\n'; exit 1;;
  slow-*) sleep 0.3; exec git "$@";;
  *) exec git "$@";;
esac
`;

const FAULTS: readonly Fault[] = ['away', 'push-lost', 'answer-lost', 'refused', 'slow'];

/** Faults at the edge of a clone, which need no power over the remote: any remote will do. */
export interface Shim extends Weather {
  /** What the node of this seat finds in its environment. */
  envOf(seat: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
}

/** Puts the stand-in into `folder`. */
export function createShim(folder: string): Shim {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'git'), SCRIPT, { mode: 0o755 });
  const fileOf = (seat: string): string => join(folder, `${seat}.fault`);
  const touched = new Set<string>();
  return {
    faults: FAULTS,
    envOf: (seat, env) => ({
      ...env,
      BATON_CHAOS_FAULT: fileOf(seat),
      BATON_CHAOS_PATH: env['PATH'],
      PATH: `${bin}${delimiter}${env['PATH'] ?? ''}`,
    }),
    bring(fault, seat) {
      touched.add(seat);
      writeFileSync(fileOf(seat), `${fault}\n`);
    },
    clear(seat) {
      for (const one of seat === undefined ? touched : [seat]) rmSync(fileOf(one), { force: true });
    },
  };
}
