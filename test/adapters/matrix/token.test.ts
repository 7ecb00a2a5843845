import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAccessToken } from '../../../src/adapters/matrix/token.ts';
import { testFolder } from '../../support/folders.ts';

describe('the access token', () => {
  test('comes from the environment, or from a file beside the workspace', () => {
    const root = testFolder();
    writeFileSync(join(root, 'token'), 'from-file\n');
    expect(readAccessToken({ accessTokenEnv: 'T' }, { root, env: { T: ' from-env ' } })).toBe('from-env');
    expect(readAccessToken({ accessTokenFile: 'token' }, { root, env: {} })).toBe('from-file');
    expect(readAccessToken({ accessTokenFile: join(root, 'token') }, { root: '/', env: {} })).toBe('from-file');
  });

  test.each([
    [{ accessTokenEnv: 'T' }, {}, 'matrix.accessTokenEnv: the environment variable T is not set'],
    [{ accessTokenEnv: 'T' }, { T: ' ' }, 'matrix.accessTokenEnv: the environment variable T is empty'],
    [
      { accessTokenEnv: 'T' },
      { T: 'a b' },
      'matrix.accessTokenEnv: the environment variable T holds something else than one token',
    ],
    [{ accessTokenFile: 'none' }, {}, 'matrix.accessTokenFile: none cannot be read (ENOENT)'],
  ])('%j with %j is refused by name', (source, env, message) => {
    const root = testFolder();
    expect(() => readAccessToken(source, { root, env })).toThrow(
      expect.objectContaining({ code: 'bad-config', message }) as Error,
    );
  });
});
