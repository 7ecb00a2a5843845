import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isUserId,
  localpartOf,
  resolveUserId,
  sameIdentity,
  sameLocalpart,
  serverOf,
} from '../../src/protocol/identity.ts';
import { newAgent } from '../../src/protocol/records/agent.ts';

describe('localparts', () => {
  test.each([
    ['@worker-a:domain', 'worker-a'],
    ['backend-engineer 💕', 'backend-engineer'],
    ['@w:dom:8080', 'w'],
    ['`@w:dom`', 'w'],
    ['w,', 'w'],
    ['@w;', 'w'],
    ['w:', 'w'],
    ['Worker A', 'Worker'],
    ['@W:dom', 'W'],
    ['@w=1+2/3:d', 'w=1+2/3'],
    ['', ''],
    ['  ', ''],
    ['@@w:d', '@w'],
    ['"\'@w:d\'"', 'w'],
    [':', ''],
  ])('%j is %j', (text, localpart) => {
    expect(localpartOf(text)).toBe(localpart);
  });

  test('taking the localpart of a localpart changes nothing', () => {
    const localpart = fc.stringMatching(/^[a-z0-9._=+/-]+$/);
    fc.assert(
      fc.property(localpart, (name) => {
        expect(localpartOf(`@${name}:hs.local:8448`)).toBe(name);
        expect(localpartOf(name)).toBe(name);
      }),
    );
  });

  test('are the same whatever their case, and nobody is not the same as nobody', () => {
    expect(sameLocalpart('@Ana:a', 'ana')).toBe(true);
    expect(sameLocalpart('ana', 'anna')).toBe(false);
    expect(sameLocalpart('', '')).toBe(false);
  });

  test('letters that only look alike stay apart', () => {
    expect(sameLocalpart('\u212A', 'k')).toBe(false);
  });
});

describe('identities', () => {
  test('a server name counts where both sides carry one', () => {
    expect(sameIdentity('@ana:a', '@ANA:a')).toBe(true);
    expect(sameIdentity('@ana:a', '@ana:b')).toBe(false);
    expect(sameIdentity('@ana:a', '@ana:A')).toBe(false);
    expect(sameIdentity('@ana:a', 'ana')).toBe(true);
  });

  test.each([
    ['@ana:hs.local', 'hs.local'],
    ['`@ana:hs.local:8448`,', 'hs.local:8448'],
    ['ana', undefined],
    ['ana:', undefined],
    ['@ana:sp ace', 'sp'],
    ['@ana:a/b', undefined],
  ])('the server of %j is %j', (text, server) => {
    expect(serverOf(text)).toBe(server);
  });

  test.each(['@a:b', '@a._=+/-Z:b.c:80'])('%j is a user id', (text) => {
    expect(isUserId(text)).toBe(true);
  });

  test.each(['a:b', '@a', '@:b', '@a:', '@ä:b', '@a:b c', '@a:b\n', `@${'a'.repeat(255)}:b`])(
    '%j is no user id',
    (text) => {
      expect(isUserId(text)).toBe(false);
    },
  );
});

describe('names become user ids', () => {
  const roster = [
    newAgent({ id: 'lead', role: 'leader', matrixUserId: '@lead:hs' }),
    newAgent({ id: 'worker-a', name: 'Worker A', role: 'worker', matrixUserId: '@wa:hs' }),
    newAgent({ id: 'worker-b', name: 'Worker B', role: 'worker' }),
    newAgent({ id: 'zoe', name: 'Backend 💕', role: 'worker' }),
  ];

  test.each([
    ['worker-a', '@wa:hs'],
    ['WORKER-A', '@wa:hs'],
    ['wa', '@wa:hs'],
    ['@wa:hs', '@wa:hs'],
    ['Worker A', '@wa:hs'],
    ['worker-b', '@worker-b:home'],
    ['backend', '@zoe:home'],
  ])('%j is found in the roster', (name, id) => {
    expect(resolveUserId(name, roster, 'home')).toBe(id);
  });

  test.each(['worker', 'stranger', '@wa:elsewhere', '@worker-b:elsewhere', '', '  '])(
    '%j is nobody when there is a roster',
    (name) => {
      expect(resolveUserId(name, roster, 'home')).toBeUndefined();
    },
  );

  test('without a roster a bare name belongs to the home server, and a full id stays', () => {
    expect(resolveUserId('ana', [], 'home')).toBe('@ana:home');
    expect(resolveUserId('`@ana:hs:80`', [], 'home')).toBe('@ana:hs:80');
    expect(resolveUserId('änne', [], 'home')).toBeUndefined();
  });
});
