import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/adapters/log.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { testFolder } from '../support/folders.ts';

function recording(level: 'debug' | 'warn' = 'debug') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level,
    destination: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { log, lines };
}

describe('the log', () => {
  test('writes one JSON line per event with time, level, fields and message', () => {
    const { log, lines } = recording();
    log.info({ task: 't-1' }, 'done');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        task: 't-1',
        message: 'done',
      },
    ]);
  });

  test('leaves out what is below its level', () => {
    const { log, lines } = recording('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines.map(({ message }) => message)).toEqual(['c', 'd']);
  });

  test('appends to a file, whose folder it makes', () => {
    const file = join(testFolder(), 'logs', 'node.log');
    createLog({ level: 'info', destination: file }).info({}, 'first');
    createLog({ level: 'info', destination: file }).info({}, 'second');
    expect(readFileSync(file, 'utf8').trim().split('\n').length).toBe(2);
  });

  test('never writes a secret, wherever it stands', () => {
    const { log, lines } = recording();
    const secret = 'sYt_c2VjcmV0';
    const cause = new Error(`401 for https://pat:${secret}@forge.example/x.git`);
    const error = new FlowError('sync-failed', 'push failed', { cause, data: { password: secret } });
    const round: Record<string, unknown> = { name: 'round' };
    round['self'] = round;
    log.error(
      {
        accessToken: secret,
        matrix: { access_token: secret, nested: [{ apiKey: secret }] },
        headers: { Authorization: `Bearer ${secret}`, 'set-cookie': secret },
        remote: `https://${secret}@forge.example/team.git`,
        url: `https://hs/_matrix?access_token=${secret}&x=1`,
        error,
        round,
      },
      `tried with Bearer ${secret}`,
    );
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({
      accessToken: '[redacted]',
      matrix: { access_token: '[redacted]', nested: [{ apiKey: '[redacted]' }] },
      remote: 'https://[redacted]@forge.example/team.git',
      url: 'https://hs/_matrix?access_token=[redacted]&x=1',
      error: { name: 'FlowError', code: 'sync-failed', message: 'push failed', data: { password: '[redacted]' } },
      round: { name: 'round', self: '[…]' },
      message: 'tried with Bearer [redacted]',
    });
  });

  test('keeps numbers about tokens, which are no secrets', () => {
    const { log, lines } = recording();
    log.info({ tokens: 3000, tokenExpired: true }, 'counted');
    expect(lines[0]).toMatchObject({ tokens: 3000, tokenExpired: true });
  });
});
