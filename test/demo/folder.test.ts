import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeFolder } from '../../src/demo/folder.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { testFolder } from '../support/folders.ts';

const SINCE = '2026-06-06T00:00:00Z';

function refusal(folder: string): Pick<FlowError, 'code' | 'message' | 'remedy'> {
  try {
    takeFolder(folder, SINCE).release();
  } catch (error) {
    if (error instanceof FlowError) return { code: error.code, message: error.message, remedy: error.remedy };
    throw error;
  }
  throw new Error('the folder was taken');
}

/** A folder as a demo leaves it. */
function used(): string {
  const folder = join(testFolder(), 'demo');
  takeFolder(folder, SINCE).release();
  for (const name of ['remote.git', 'lead', 'ana', 'bo', 'history'])
    mkdirSync(join(folder, name, 'deep'), { recursive: true });
  writeFileSync(join(folder, 'demo.log'), 'told\n');
  return folder;
}

describe('takeFolder', () => {
  test('makes a new folder, with those above it, and marks it as a demo’s', () => {
    const folder = join(testFolder(), 'a', 'b');
    const lock = takeFolder(folder, SINCE);

    expect(readdirSync(folder).sort()).toEqual(['.baton-demo', 'node.lock']);
    lock.release();
    expect(readdirSync(folder)).toEqual(['.baton-demo']);
  });

  test('takes an empty folder', () => {
    const folder = testFolder();
    takeFolder(folder, SINCE).release();

    expect(readdirSync(folder)).toEqual(['.baton-demo']);
  });

  test('clears what an earlier demo left', () => {
    const folder = used();
    takeFolder(folder, SINCE).release();

    expect(readdirSync(folder)).toEqual(['.baton-demo']);
  });

  test('refuses a folder that no demo made, and leaves it as it is', () => {
    const folder = testFolder();
    for (const name of ['lead', 'remote.git', 'thesis', 'photos']) mkdirSync(join(folder, name));

    expect(refusal(folder)).toEqual({
      code: 'already-exists',
      message: `${folder} holds what no demo has put there (lead, photos, remote.git, …)`,
      remedy: 'name a new or empty folder with --dir, or move these files away',
    });
    expect(readdirSync(folder).sort()).toEqual(['lead', 'photos', 'remote.git', 'thesis']);
  });

  test('refuses the folder of a demo to which somebody added a file, and leaves it as it is', () => {
    const folder = used();
    writeFileSync(join(folder, 'notes.txt'), 'mine\n');
    const before = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

    expect(refusal(folder).message).toBe(`${folder} holds what no demo has put there (notes.txt)`);
    expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()).toEqual(before);
  });

  test('removes a link, never what it leads to', () => {
    const folder = used();
    const elsewhere = testFolder();
    writeFileSync(join(elsewhere, 'thesis.txt'), 'mine\n');
    const inner = join(folder, 'lead', 'elsewhere');
    symlinkSync(elsewhere, inner);
    takeFolder(folder, SINCE).release();

    expect(existsSync(inner)).toBe(false);
    expect(readdirSync(elsewhere)).toEqual(['thesis.txt']);
  });

  test('refuses a file', () => {
    const file = join(testFolder(), 'file');
    writeFileSync(file, 'text');

    expect(refusal(file)).toEqual({
      code: 'already-exists',
      message: `${file} is not a folder`,
      remedy: 'name a new folder with --dir',
    });
  });

  test('refuses a place where nothing can be made', () => {
    const file = join(testFolder(), 'file');
    writeFileSync(file, 'text');

    expect(refusal(join(file, 'demo')).remedy).toMatch(/--dir/);
  });

  test('refuses a folder in which a demo is running, and leaves it as it is', () => {
    const folder = used();
    const lock = takeFolder(folder, SINCE);
    mkdirSync(join(folder, 'lead'));

    expect(refusal(folder)).toMatchObject({ code: 'locked', remedy: expect.stringContaining(String(process.pid)) });
    expect(existsSync(join(folder, 'lead'))).toBe(true);
    lock.release();
  });
});
