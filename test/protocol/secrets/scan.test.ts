import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSecrets, redactSecrets } from '../../../src/protocol/secrets/scan.ts';
import { HARMLESS, noise, opensshKey, SECRETS, SOME_KEY, TELLING } from './samples.ts';

const kinds = (text: string): readonly string[] => findSecrets(text).map(({ kind }) => kind);

describe('what is found', () => {
  test.each([...SECRETS, ...TELLING])('%s', (kind, text, value) => {
    expect(kinds(`first line\n${text}\nlast line`)).toEqual([kind]);
    expect(redactSecrets(text)).not.toContain(value);
  });

  test.each([
    ['ssh-ed25519', 136],
    ['ssh-rsa', 1400],
    ['ecdsa-sha2-nistp256', 168],
  ])('an OpenSSH key without a passphrase: %s', (algorithm, length) => {
    const key = opensshKey(algorithm, randomBytes(length));
    for (const text of [key, `first\n${key}\nlast\n`, JSON.stringify({ note: key }), key.replaceAll('\n', '\r\n')]) {
      expect(kinds(text)).toEqual(['private key']);
      for (const line of key.split('\n')) expect(redactSecrets(text)).not.toContain(line);
    }
  });

  test('a private key that is put in the place of its sample, between lines that stay', () => {
    const key = opensshKey('ssh-ed25519', randomBytes(136));
    const [head = '', ...body] = key.split('\n');
    const end = body.pop() ?? '';
    const file = (lines: readonly string[]): string => ['# Key', head, ...lines, end, 'of the host', ''].join('\n');
    for (const sample of [[], ['...'], ['x'.repeat(70), 'x'.repeat(70)], body.with(1, '...')]) {
      expect(findSecrets(file(body), { before: file(sample) })).toMatchObject([{ kind: 'private key', line: 2 }]);
    }
    const before = file(body);
    expect(findSecrets(`${before}more\n`, { before })).toEqual([]);
    expect(findSecrets(before.replace('# Key', '# Its key'), { before })).toEqual([]);
  });

  test('there are many of both', () => {
    expect(SECRETS.length + TELLING.length).toBeGreaterThanOrEqual(40);
    expect(HARMLESS.length).toBeGreaterThanOrEqual(40);
  });

  test('the line is that of the secret, also behind one that was there', () => {
    const before = `one\ntwo\npassword: ${SOME_KEY}\n`;
    expect(findSecrets(before)).toMatchObject([{ line: 3 }]);
    const more = `token: ${noise(20, undefined, 99)}9x`;
    expect(findSecrets(`zero\n${before}${more}\n`, { before })).toMatchObject([{ kind: 'value of token', line: 5 }]);
  });

  test('several in one text are all found, one of two that overlap once', () => {
    const text = `password: ${SOME_KEY}\nurl: https://ana:${SOME_KEY}@hs.internal/?token=${SOME_KEY}`;
    expect(kinds(text)).toEqual(['value of password', 'password in an address', 'token in an address']);
  });

  test('what the process knows is a secret wherever it stands', () => {
    const known = ['correct horse battery staple'];
    expect(findSecrets('say "correct horse battery staple"', { known })).toMatchObject([
      { kind: 'secret of this node', line: 1 },
    ]);
    expect(redactSecrets('say "correct horse battery staple"', known)).toBe('say "[redacted]"');
  });
});

describe('what is not found', () => {
  test.each(HARMLESS)('%s', (_, text) => {
    expect(kinds(text)).toEqual([]);
  });

  test('what stood there before', () => {
    const before = `a\npassword: ${SOME_KEY}\nb\n`;
    expect(findSecrets(`${before}c\n`, { before })).toEqual([]);
    expect(findSecrets(`new\n${before}`, { before })).toEqual([]);
    expect(findSecrets(`b\npassword: ${SOME_KEY}\na\n`, { before })).toEqual([]);
  });

  test('what the team allows by its fingerprint, and nothing else', () => {
    const text = `password: ${SOME_KEY}\n`;
    const [found] = findSecrets(text);
    const { fingerprint = '' } = found ?? {};
    expect(fingerprint).toMatch(/^sha256:[0-9a-f]{12}$/);
    expect(findSecrets(text, { allowed: [fingerprint] })).toEqual([]);
    expect(findSecrets(text, { allowed: ['sha256:000000000000'] })).toHaveLength(1);
  });

  test('identifiers, however they come out', () => {
    const hex = (length: number): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });
    const ulid = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')),
      minLength: 25,
      maxLength: 25,
    });
    const id = fc.oneof(
      hex(40),
      hex(64),
      hex(16).map((text) => `sub-${text}`),
      ulid.map((text) => `0${text}`),
      fc.uuid(),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    );
    const key = fc.constantFrom('id', 'commit', 'submission_id', 'notify_txn', 'digest', 'eventId', 'content', 'image');
    fc.assert(
      fc.property(key, id, (name, value) => {
        expect(kinds(JSON.stringify({ [name]: value }, undefined, 2))).toEqual([]);
        expect(kinds(`${name}: ${value}\n${value}`)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("this repository's own records, plans, reports and docs", () => {
    const root = join(import.meta.dirname, '../../..');
    const texts = ['docs', 'fixtures', 'shared'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((name) => join(root, folder, name))
        .filter((path) => statSync(path).isFile() && /\.(?:md|jsonl?|txt|svg|html)$/.test(path)),
    );
    expect(texts.length).toBeGreaterThan(100);
    const found = texts.flatMap((path) =>
      findSecrets(readFileSync(path, 'utf8')).map(({ kind, line }) => `${path}:${line}: ${kind}`),
    );
    expect(found).toEqual([]);
  });
});

describe('properties', () => {
  const words = fc.string({ unit: 'grapheme', maxLength: 80 });
  const secret = fc.constantFrom(...SECRETS.map(([, , value]) => value));

  test('a secret is found once, and redacted, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.array(words), secret, fc.array(words), (above, value, below) => {
        const before = [...above, ...below].join('\n');
        fc.pre(findSecrets(before).length === 0 && !before.includes(value));
        const text = [...above, value, ...below].join('\n');
        expect(findSecrets(text, { before })).toMatchObject([
          { line: above.join('\n').split('\n').length + (above.length > 0 ? 1 : 0) },
        ]);
        expect(redactSecrets(text)).not.toContain(value);
      }),
    );
  });

  test('a text that has not changed has nothing new, and one without secrets stays as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(words, secret)), (lines) => {
        const text = lines.join('\n');
        expect(findSecrets(text, { before: text })).toEqual([]);
        const clean = redactSecrets(text);
        expect(redactSecrets(clean)).toBe(clean);
      }),
    );
  });

  test('no text takes long', () => {
    const hostile = ['password', 'https://', ':', '@', 'token=', '-----BEGIN ', 'eyJ', 'a-', '"', ' ', '\\'];
    for (const part of hostile) expect(kinds(part.repeat(50_000))).toEqual([]);
  });
});
