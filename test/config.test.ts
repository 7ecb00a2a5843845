import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchemas, loadConfig, parseConfig } from '../src/config.ts';
import { testFolder } from './support/folders.ts';

const parse = (value: unknown, env: NodeJS.ProcessEnv = {}): ReturnType<typeof parseConfig> =>
  parseConfig(JSON.stringify(value), env);

const SMALLEST = { identity: { localpart: 'lead', role: 'leader' } };

describe('the configuration of a node', () => {
  test('takes defaults for all that the smallest file leaves out', () => {
    expect(parse(SMALLEST)).toEqual({
      identity: { localpart: 'lead', matrixUserId: '@lead:local', role: 'leader' },
      git: { branch: 'main', lanePrefix: 'lanes/', minPushInterval: '0s', sparse: false, maintenance: true },
      server: {
        host: '127.0.0.1',
        port: 6200,
        aliasPorts: [6201],
        auth: { enabled: false, tokensFile: '.baton/tokens.json' },
      },
      embeddings: { provider: 'lexical', timeoutMs: 10_000, batchSize: 64 },
      worker: {},
      log: { level: 'info' },
    });
  });

  test('reads the example of the interface whole', () => {
    const { identity, git, matrix } = parse({
      $schema: 'https://example.org/baton.schema.json',
      identity: { matrixUserId: '@lead:domain', role: 'leader' },
      git: { remote: '/srv/team.git', branch: 'main', lanePrefix: 'lanes/', minPushInterval: '0s', maintenance: true },
      matrix: { homeserver: 'https://hs.domain', accessTokenEnv: 'BATON_MATRIX_TOKEN' },
      server: {
        host: '127.0.0.1',
        port: 6200,
        aliasPorts: [6201],
        auth: { enabled: false, tokensFile: '.baton/tokens.json' },
      },
      embeddings: { provider: 'lexical' },
      log: { level: 'info' },
    });
    expect(identity).toEqual({ localpart: 'lead', matrixUserId: '@lead:domain', role: 'leader' });
    expect(git.remote).toBe('/srv/team.git');
    expect(matrix).toEqual({ homeserver: 'https://hs.domain', accessTokenEnv: 'BATON_MATRIX_TOKEN' });
  });

  test('understands other spellings of a role, a byte order mark and CRLF', () => {
    const text = `\uFEFF{\r\n "identity": {"localpart": "lead", "role": "Team_Leader"}\r\n}\r\n`;
    expect(parseConfig(text, {}).identity.role).toBe('leader');
  });

  test.each<[string, unknown, string]>([
    ['an unknown key', { ...SMALLEST, gti: {} }, 'baton.json: unknown key gti'],
    ['an unknown key inside', { ...SMALLEST, git: { branhc: 'x' } }, 'baton.json: unknown key git.branhc'],
    ['no identity', {}, 'baton.json: identity: '],
    [
      'an identity of nobody',
      { identity: { role: 'leader' } },
      'baton.json: identity: needs localpart or matrixUserId',
    ],
    ['an unknown role', { identity: { localpart: 'a', role: 'boss' } }, 'baton.json: identity.role: '],
    [
      'two actors',
      { identity: { localpart: 'a', matrixUserId: '@b:c', role: 'worker' } },
      'baton.json: identity.localpart: localpart and matrixUserId name two different actors',
    ],
    [
      'a Matrix id that is none',
      { identity: { matrixUserId: 'b', role: 'worker' } },
      'baton.json: identity.matrixUserId: must be a full Matrix user id',
    ],
    ['a port out of range', { ...SMALLEST, server: { port: 70_000 } }, 'baton.json: server.port: '],
    ['a list with a bad entry', { ...SMALLEST, server: { aliasPorts: [1, 'x'] } }, 'baton.json: server.aliasPorts.1: '],
    [
      'a duration that is none',
      { ...SMALLEST, git: { minPushInterval: 'soon' } },
      'baton.json: git.minPushInterval: must be a duration',
    ],
    [
      'a lane prefix without a slash',
      { ...SMALLEST, git: { lanePrefix: 'lanes' } },
      'baton.json: git.lanePrefix: must end in /',
    ],
    [
      'two places for one token',
      { ...SMALLEST, matrix: { homeserver: 'https://hs', accessTokenEnv: 'T', accessTokenFile: 't' } },
      'baton.json: matrix: takes accessTokenEnv or accessTokenFile, and not both',
    ],
    [
      'two places for one password',
      { ...SMALLEST, matrix: { homeserver: 'https://hs', passwordEnv: 'P', passwordFile: 'p' } },
      'baton.json: matrix: takes passwordEnv or passwordFile, and not both',
    ],
    [
      'a password in the file itself',
      { ...SMALLEST, matrix: { homeserver: 'https://hs', password: 's3cret' } },
      'unknown key matrix.password',
    ],
    [
      'a token in the file itself',
      { ...SMALLEST, matrix: { homeserver: 'https://hs', accessToken: 's3cret' } },
      'unknown key matrix.accessToken',
    ],
    ['an unknown log level', { ...SMALLEST, log: { level: 'loud' } }, 'baton.json: log.level: '],
  ])('refuses %s with the path of its key', (_, value, message) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(message) as string }) as Error,
    );
  });

  test('never repeats a value that may be a secret', () => {
    expect(() => parse({ ...SMALLEST, matrix: { homeserver: 'https://hs', accessToken: 's3cret' } })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3cret') as string }) as Error,
    );
  });

  test('tells all that is wrong at once', () => {
    expect(() => parse({ ...SMALLEST, log: { level: 'loud' }, server: { port: -1 } })).toThrow(
      /server\.port.*; .*log\.level/,
    );
  });

  test('says where a file is no JSON', () => {
    expect(() => parseConfig('{\n  "identity": {,\n}', {})).toThrow(/baton\.json:2:16.*invalid JSON in baton\.json/);
  });
});

describe('the environment', () => {
  test('overrides the file, key by key', () => {
    const config = parse(SMALLEST, {
      BATON_GIT_REMOTE: '/srv/other.git',
      BATON_GIT_AUTHOR_NAME: 'Pat',
      BATON_GIT_AUTHOR_EMAIL: 'pat@local',
      BATON_IDENTITY_ROLE: 'remote',
      BATON_LOG_LEVEL: 'debug',
      BATON_SERVER_PORT: '7000',
      BATON_SERVER_ALIAS_PORTS: '7001, 7002',
      BATON_SERVER_AUTH_ENABLED: 'true',
      BATON_SOCKET: '/run/other.sock',
      BATON_LOG_FILE: '',
    });
    expect(config.git).toMatchObject({ remote: '/srv/other.git', author: { name: 'Pat', email: 'pat@local' } });
    expect(config.identity.role).toBe('remote-member');
    expect(config.log).toEqual({ level: 'debug' });
    expect(config.server).toMatchObject({ port: 7000, aliasPorts: [7001, 7002], auth: { enabled: true } });
  });

  test('replaces the actor whole by a full id, the more particular name first', () => {
    const one = { AGENTTEAMS_MATRIX_USER_ID: '@one:hs' };
    expect(parse(SMALLEST, one).identity).toEqual({ localpart: 'one', matrixUserId: '@one:hs', role: 'leader' });
    const two = { ...one, BATON_MATRIX_USER_ID: '@two:hs' };
    expect(parse(SMALLEST, two).identity.localpart).toBe('two');
    expect(parse(SMALLEST, { ...two, BATON_IDENTITY_MATRIX_USER_ID: '@three:hs' }).identity.localpart).toBe('three');
  });

  test('is named when its value is refused', () => {
    expect(() => parse(SMALLEST, { BATON_SERVER_PORT: 'many' })).toThrow(/^BATON_SERVER_PORT: server\.port: /);
    expect(() => parse(SMALLEST, { BATON_IDENTITY_ROLE: 'boss' })).toThrow(/^BATON_IDENTITY_ROLE: identity\.role: /);
  });

  test('does not hide what is wrong in the file itself', () => {
    expect(() => parse({ ...SMALLEST, git: 'x' }, { BATON_GIT_REMOTE: '/r' })).toThrow(/^baton\.json: git: /);
  });
});

describe('loading', () => {
  test('reads the file of the workspace', () => {
    const root = testFolder();
    writeFileSync(join(root, 'baton.json'), JSON.stringify(SMALLEST));
    expect(loadConfig(root, {}).identity.localpart).toBe('lead');
  });

  test('tells a folder that is no workspace from a file that cannot be read', () => {
    const root = testFolder();
    expect(() => loadConfig(root, {})).toThrow(expect.objectContaining({ code: 'no-workspace' }) as Error);
    mkdirSync(join(root, 'baton.json'));
    expect(() => loadConfig(root, {})).toThrow(
      expect.objectContaining({ code: 'bad-config', message: 'baton.json cannot be read (EISDIR)' }) as Error,
    );
  });
});

test('the published schemas describe both configuration files for editors', () => {
  const schemas = configSchemas();
  expect(Object.keys(schemas)).toEqual(['baton.json', 'team.json']);
  expect(schemas['baton.json']).toMatchObject({
    type: 'object',
    additionalProperties: false,
    required: ['identity'],
    properties: { git: { properties: { remote: { type: 'string' } } } },
  });
  expect(schemas['team.json']).toMatchObject({ type: 'object', properties: { name: { type: 'string' } } });
});
