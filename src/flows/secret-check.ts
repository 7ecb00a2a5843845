import { FlowError } from '../protocol/errors.ts';
import { isRecord } from '../protocol/json.ts';
import { findSecrets, remedyFor } from '../protocol/secrets/scan.ts';
import type { ScanOptions } from '../protocol/secrets/scan.ts';

/**
 * Throws `invalid-argument` for a payload that holds a secret: it would stand in commits, in rooms, or in the name of
 * a room, before anybody could take it back (quality.md S6). Names the field and the line, never what it holds.
 */
export function requireNoSecret(input: unknown, scan: ScanOptions): void {
  for (const { path, text } of textsIn(input, 'payload')) {
    const [found] = findSecrets(text, scan);
    if (found === undefined) continue;
    const { kind, line, fingerprint } = found;
    throw new FlowError('invalid-argument', `${path} holds a secret in line ${line} (${kind})`, {
      remedy: remedyFor(found),
      data: { field: path, line, kind, fingerprint },
    });
  }
}

interface Place {
  readonly path: string;
  readonly value: unknown;
}

/** Every text of a payload. Payloads may be deep, so the open places are kept in a list and not on the stack. */
function* textsIn(input: unknown, name: string): Generator<{ readonly path: string; readonly text: string }> {
  const open: Place[] = [{ path: name, value: input }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { path, value } = place;
    if (typeof value === 'string') yield { path, text: value };
    const inner = Array.isArray(value) ? value.entries() : isRecord(value) ? Object.entries(value) : [];
    for (const [key, item] of inner) open.push({ path: `${path}.${key}`, value: item });
  }
}
