import { readFileSync, unlinkSync } from 'node:fs';
import { FlowError } from '../../protocol/errors.ts';
import { isRecord, parseJson } from '../../protocol/json.ts';
import { writeAtomically } from '../../workspace/atomic.ts';

/** One device of the account at a homeserver; without a token while nobody is logged in on it. */
export interface Session {
  readonly deviceId: string;
  readonly accessToken?: string;
}

/** What a login leaves behind, so that later starts need no password: `.baton/matrix/session.json`. */
export interface SessionStore {
  /** `undefined` when there is none, or only one of another account or homeserver. */
  read(): Session | undefined;
  /** Durable once it returns, and readable by the owner of the workspace only. */
  write(session: Session): void;
  remove(): void;
}

/** Throws `notify-failed` for a file that is there and cannot be read or written; never with what is in it. */
export function sessionStore(
  file: string,
  owner: { readonly homeserver: string; readonly self: string },
): SessionStore {
  const homeserver = owner.homeserver.replace(/\/+$/, '');
  return {
    read() {
      const text = guarded('read', () => readFileSync(file, 'utf8'));
      const parsed = text === undefined ? undefined : parseJson(text, file);
      const value = parsed !== undefined && 'value' in parsed && isRecord(parsed.value) ? parsed.value : {};
      const { device_id: deviceId, access_token: accessToken } = value;
      if (value['homeserver'] !== homeserver || value['user_id'] !== owner.self) return undefined;
      if (typeof deviceId !== 'string') return undefined;
      return { deviceId, ...(typeof accessToken === 'string' ? { accessToken } : {}) };
    },
    write({ deviceId, accessToken }) {
      const record = { schema: 1, homeserver, user_id: owner.self, device_id: deviceId, access_token: accessToken };
      guarded('written', () => writeAtomically(file, Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`), 0o600));
    },
    remove() {
      guarded('removed', () => unlinkSync(file));
    },
  };
}

function guarded<Value>(how: string, work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' && how !== 'written') return undefined;
    throw new FlowError('notify-failed', `.baton/matrix/session.json cannot be ${how} (${code})`, {
      remedy: 'see that the directory .baton/matrix belongs to you',
    });
  }
}
