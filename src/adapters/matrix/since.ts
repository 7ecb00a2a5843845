import { readFileSync } from 'node:fs';
import { isRecord, parseJson } from '../../protocol/json.ts';
import { writeAtomically } from '../../workspace/atomic.ts';

/** Up to where an account has heard its rooms. */
export interface Heard {
  /** The homeserver's own mark. */
  readonly token: string;
  /** When it was given, UTC. */
  readonly at: string;
}

export interface HeardFile {
  /** `undefined` when there is none; `unusable` for one that is broken, or another account's or homeserver's. */
  read(): Heard | 'unusable' | undefined;
  /** Durable once it returns. */
  write(heard: Heard): void;
}

/** Keeps where the last process stopped, so that nothing said meanwhile is lost: `.baton/matrix/since`. */
export function heardFile(file: string, owner: { readonly homeserver: string; readonly self: string }): HeardFile {
  const homeserver = owner.homeserver.replace(/\/+$/, '');
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unusable';
      }
      const parsed = parseJson(text, file);
      if (!('value' in parsed) || !isRecord(parsed.value)) return 'unusable';
      const { homeserver: where, user_id: who, token, at } = parsed.value;
      const isOwn = where === homeserver && who === owner.self;
      return isOwn && typeof token === 'string' && typeof at === 'string' ? { token, at } : 'unusable';
    },
    write({ token, at }) {
      const record = { schema: 1, homeserver, user_id: owner.self, token, at };
      writeAtomically(file, Buffer.from(`${JSON.stringify(record)}\n`), 0o600);
    },
  };
}
