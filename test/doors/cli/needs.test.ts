import { describe, expect, test } from 'vitest';
import { terminal } from './harness.ts';

const answer = {
  ok: true,
  count: 2,
  needs: [
    {
      need: 'violation',
      kind: 'json-invalid',
      severity: 'error',
      message: 'invalid JSON\u001b[2J',
      file: 'shared/team.json',
      line: 3,
      command: '$EDITOR +3 shared/team.json',
      remedy: 'mend shared/team.json, line 3',
    },
    {
      need: 'check',
      severity: 'warning',
      message: 'ana has handed in t-1',
      taskId: 't-1',
      command: 'baton task check t-1',
    },
    {
      need: 'node',
      severity: 'warning',
      message: 'behind',
      taskId: 't-2',
      command: 'baton sync now',
      remedy: 'the node sets it',
    },
  ],
};

const PLAIN = [
  '2 things for a person',
  '',
  'violation       shared/team.json:3  invalid JSON',
  '                $EDITOR +3 shared/team.json  (mend shared/team.json, line 3)',
  'to check        t-1  ana has handed in t-1',
  '                baton task check t-1',
  'mends itself    t-2  behind',
  '                baton sync now  (the node sets it)',
  '',
];

describe('baton board --problems', () => {
  test('says what is wrong, and beneath it what to type, as plain text in a pipe', async () => {
    const { run, app } = terminal({ answer: () => answer });
    expect(await run('board', 'p', '--problems')).toEqual({ code: 0, stdout: PLAIN.join('\n'), stderr: '' });
    expect(app.calls).toEqual([{ tool: 'node', action: 'needs', payload: { projectId: 'p' } }]);
    expect(JSON.parse((await run('board', '--problems', '--json')).stdout)).toEqual(answer);
  });

  test('is in colour on a terminal', async () => {
    const { run } = terminal({ answer: () => answer }, { terminal: { stdout: true, columns: 100 } });
    expect((await run('board', '--problems')).stdout).toContain('\u001b[31mviolation');
  });

  test('says so when nothing needs a person', async () => {
    const { run } = terminal({ answer: () => ({ ok: true, count: 0, needs: [] }) });
    expect((await run('board', '--problems')).stdout).toBe('nothing needs a person\n');
  });
});
