import { describe, expect, test } from 'vitest';
import { normaliseRoom, parseTarget, sameRoom } from '../../src/protocol/rooms.ts';

describe('rooms', () => {
  test.each(['!x:dom', 'room:!x:dom', 'matrix:!x:dom', 'matrix:room:!x:dom', '  !x:dom '])('%j is !x:dom', (text) => {
    expect(normaliseRoom(text)).toBe('!x:dom');
  });

  test('a server may carry a port', () => {
    expect(normaliseRoom('room:!a$b/c:dom:8448')).toBe('!a$b/c:dom:8448');
  });

  test.each(['', 'room:', 'matrix:', 'matrix:room:'])(
    'a room of version 12 has no server, behind %j as well',
    (prefix) => {
      const room = '!zfm3oWdRWVIwZIGcWPnbFupkElxIB8PdQGQ8ZMpGv6M';
      expect(normaliseRoom(`${prefix}${room}`)).toBe(room);
      expect(normaliseRoom(`${prefix}${room}x`)).toBeUndefined();
    },
  );

  test.each([
    '',
    'x',
    '!x',
    '!:dom',
    '!x:',
    'room:matrix:!x:dom',
    '#x:dom',
    '@x:dom',
    '!x y:dom',
    '!x:do m',
    '!x\u0007:dom',
  ])('%j is no room', (text) => {
    expect(normaliseRoom(text)).toBeUndefined();
  });

  test('two spellings of a room are the same, and no room is not the same as no room', () => {
    expect(sameRoom('room:!x:dom', 'matrix:!x:dom')).toBe(true);
    expect(sameRoom('!x:dom', '!y:dom')).toBe(false);
    expect(sameRoom(' odd ', 'odd')).toBe(true);
    expect(sameRoom(undefined, undefined)).toBe(false);
    expect(sameRoom('!x:dom', undefined)).toBe(false);
  });
});

describe('targets', () => {
  test('of messages are rooms or users', () => {
    expect(parseTarget('matrix:room:!x:dom')).toEqual({ kind: 'room', roomId: '!x:dom' });
    expect(parseTarget('user:@u:dom')).toEqual({ kind: 'user', userId: '@u:dom' });
    expect(parseTarget(' @u:dom:80 ')).toEqual({ kind: 'user', userId: '@u:dom:80' });
    expect(parseTarget('matrix:@u:dom')).toEqual({ kind: 'user', userId: '@u:dom' });
  });

  test.each(['', 'general', '@u', 'user:u:dom', 'room:@u:dom'])('%j is neither', (text) => {
    expect(parseTarget(text)).toBeUndefined();
  });
});
