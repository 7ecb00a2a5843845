import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { inflated, looseFile } from '../../../src/adapters/git/loose.ts';
import { initRepository } from '../../../src/adapters/git/setup.ts';
import { asOneBlock, ofOneBlock } from '../../../src/adapters/git/stored.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';

const bytes = fc.uint8Array({ maxLength: 9_000 }).map((array) => Buffer.from(array));

test('what is stored as one block is what zlib reads, and what is read here', () => {
  fc.assert(
    fc.property(bytes, (whole) => {
      const stream = asOneBlock(whole);
      expect(inflateSync(stream).equals(whole)).toBe(true);
      expect(ofOneBlock(stream)?.equals(whole)).toBe(true);
      expect(stream.equals(deflateSync(whole, { level: 0 }))).toBe(true);
    }),
  );
});

test('a block holds 65,535 bytes and no more', () => {
  const most = Buffer.alloc(65_535, 0xff);
  expect(inflateSync(asOneBlock(most)).equals(most)).toBe(true);
  expect(ofOneBlock(asOneBlock(most))?.equals(most)).toBe(true);
  expect(() => asOneBlock(Buffer.alloc(65_536))).toThrow(RangeError);
});

test('one byte that is not as it was written makes it nothing', () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (whole, place, change) => {
      const stream = asOneBlock(whole);
      const at = place % stream.length;
      stream[at] = (stream[at] ?? 0) ^ change;
      expect(ofOneBlock(stream)).toBeUndefined();
      expect(ofOneBlock(stream.subarray(0, place % stream.length))).toBeUndefined();
    }),
  );
});

test('what zlib has packed, in one block or in more, is left to it', () => {
  for (const whole of [Buffer.alloc(0), Buffer.from('hello '.repeat(20)), Buffer.alloc(70_000, 1)])
    for (const level of [1, 9]) expect(ofOneBlock(deflateSync(whole, { level }))).toBeUndefined();
  expect(ofOneBlock(deflateSync(Buffer.alloc(70_000, 1), { level: 0 }))).toBeUndefined();
});

test('small objects are such files, of one block of the disk at most, and git finds nothing wrong with them', async () => {
  const dir = join(testFolder('stored'), 'w');
  await initRepository(dir, 'main');
  using git = await createGit({ dir });
  const contents = [0, 1, 100, 3_980, 3_990, 3_995, 5_000, 100_000].map((length) =>
    'abcdefg\n'.repeat(length).slice(0, length),
  );
  const commit = await git.commit({
    parents: [],
    edits: contents.map((content, index) => ({
      path: `f/${index}`,
      kind: 'content',
      mode: '100644',
      content: Buffer.from(content),
    })),
    message: 'm\n',
    author: { name: 'Pat', email: 'pat@local' },
    at: 1_700_000_000,
  });
  expect(plain(dir, 'fsck', '--full', '--strict', commit)).not.toContain('error');
  for (const [index, content] of contents.entries()) {
    const id = plain(dir, 'rev-parse', `${commit}:f/${index}`);
    const file = looseFile(join(dir, '.git/objects'), id);
    expect(execFileSync('git', ['cat-file', 'blob', id], { cwd: dir, encoding: 'utf8' })).toBe(content);
    expect(inflated(readFileSync(file))?.content.toString('utf8')).toBe(content);
    expect(statSync(file).size).toBeLessThanOrEqual(4096);
  }
});

test('an object that git itself has stored without packing is read, and one that is damaged since is not', async () => {
  const dir = join(testFolder('stored'), 'w');
  await initRepository(dir, 'main');
  const file = join(dir, 'a');
  writeFileSync(file, 'some text\n');
  const id = plain(dir, '-c', 'core.looseCompression=0', 'hash-object', '-w', file);
  const stored = readFileSync(looseFile(join(dir, '.git/objects'), id));
  expect(ofOneBlock(stored)?.toString('latin1')).toBe('blob 10\0some text\n');
  expect(inflated(stored)).toEqual({ kind: 'blob', content: Buffer.from('some text\n') });
  stored[stored.length - 6] = 0;
  expect(inflated(stored)).toBeUndefined();
});
