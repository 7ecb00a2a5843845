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

function textsIn(value: unknown, path: string): readonly { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, `${path}.${index}`));
  return isRecord(value) ? Object.entries(value).flatMap(([key, item]) => textsIn(item, `${path}.${key}`)) : [];
}
