import { expect, test } from 'vitest';
import { readMessage } from '../../../src/adapters/matrix/message.ts';

const read = (content: object) => {
  const message = readMessage({ event_id: '$1', sender: '@ana:dom', origin_server_ts: 0, content }, '!r:dom');
  if (message === undefined) return undefined;
  const { eventId: _, room: __, sender: ___, at: ____, ...rest } = message;
  return rest;
};

test.each([
  ['a text', { msgtype: 'm.text' }, {}],
  ['a notice', { msgtype: 'm.notice' }, { form: 'notice' }],
  ['a file by its name', { msgtype: 'm.file' }, { form: 'other' }],
  ['a gesture', { msgtype: 'm.emote' }, { form: 'other' }],
  ['something without a type', {}, { form: 'other' }],
  ['an edit', { msgtype: 'm.text', 'm.relates_to': { rel_type: 'm.replace', event_id: '$0' } }, { form: 'edit' }],
  ['a message in a thread', { msgtype: 'm.text', 'm.relates_to': { rel_type: 'm.thread' } }, { inThread: true }],
  ['a reply', { msgtype: 'm.text', 'm.relates_to': { 'm.in_reply_to': { event_id: '$0' } } }, {}],
  ['a mention of all', { msgtype: 'm.text', 'm.mentions': { room: true } }, { toAll: true }],
  ['mentions', { msgtype: 'm.text', 'm.mentions': { user_ids: ['@a:b', 7, null] } }, { mentions: ['@a:b'] }],
  ['nonsense', { msgtype: 7, 'm.mentions': 'x', 'm.relates_to': [1] }, { form: 'other' }],
])('%s is read as what it is', (_, content, read_) => {
  expect(read({ body: 'hello', ...content })).toEqual({ text: 'hello', mentions: [], ...read_ });
});

test.each([[{}], [{ body: 7 }]])('%j is no message', (content) => {
  expect(read(content)).toBeUndefined();
});
