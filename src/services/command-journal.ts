import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../ports.ts';
import { writeAtomically } from '../workspace/atomic.ts';

/** Which commands were answered, and with what, by the event that gave them. */
export interface CommandJournal {
  find(eventId: string): string | undefined;
  keep(eventId: string, reply: string): void;
}

const FILE = 'commands.json';
/** More than a homeserver gives out again after a crash: what is older was confirmed to it long ago. */
const KEPT = 200;

const STORED = z.object({ schema: z.literal(1), answered: z.array(z.tuple([z.string(), z.string()])) });

/**
 * Written when a command is settled and before its reply is sent, so that the same message heard again after a crash is
 * answered with the same words and not carried out: also one that was refused then and would be possible now.
 */
export function openCommandJournal(dir: string, log: Log): CommandJournal {
  const file = join(dir, FILE);
  const answered = load(file, log);
  return {
    find: (eventId) => answered.get(eventId),
    keep(eventId, reply) {
      answered.set(eventId, reply);
      for (const oldest of [...answered.keys()].slice(0, -KEPT)) answered.delete(oldest);
      const stored = { schema: 1, answered: [...answered] };
      writeAtomically(file, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`), 0o600);
    },
  };
}

function load(file: string, log: Log): Map<string, string> {
  if (!existsSync(file)) return new Map();
  try {
    return new Map(STORED.parse(JSON.parse(readFileSync(file, 'utf8'))).answered);
  } catch (error) {
    renameSync(file, `${file}.broken`);
    log.warn({ error, file: `.baton/${FILE}.broken` }, 'the journal of commands could not be read and was set aside');
    return new Map();
  }
}
