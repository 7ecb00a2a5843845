import { describe, expect, test } from 'vitest';
import { terminal } from './harness.ts';

/** An app that refuses every call in these words. */
const refusing = (error: string, remedy?: string) =>
  terminal({
    answer: () => ({ ok: false, code: 'invalid-argument', error, ...(remedy === undefined ? {} : { remedy }) }),
  });

describe('a refusal on the command line names what was typed', () => {
  test.each([
    [
      ['create', 'X', '--priority', 'P9'],
      'payload.priority must be one of: P0, P1',
      '--priority must be one of: P0, P1',
    ],
    [['create', ''], 'payload.title is required', 'title is required'],
    [['create', 'X', '--tags', ''], 'payload.tags[0] must not be empty', '--tags must not be empty'],
    [['project', 'create', 'X', '--project-id', ' '], 'payload.projectId is required', '--project-id is required'],
    [['project', 'loop', 'p'], 'payload.goal is required', '--goal is required'],
    [
      ['project', 'plan', 'p', '--tasks', '[{}]'],
      'payload.tasks[0].taskId is required',
      '--tasks[0].taskId is required',
    ],
    [
      ['task', 'create', 'X', '--depends-on', 'y'],
      'payload.dependsOn names unknown tasks: y',
      '--depends-on names unknown tasks: y',
    ],
    [
      ['agent', 'register', 'x', '--max-concurrent', '0'],
      'payload.maxConcurrent must be at least 1',
      '--max-concurrent must be at least 1',
    ],
    [['transition', 'TASK-001', ''], 'payload.event is required', 'event is required'],
    [
      ['dispatch', 'TASK-001', 'X', '--agent', 'a', '--deps', 's'],
      'payload.dependsOn names unknown tasks: s',
      '--deps names unknown tasks: s',
    ],
    [
      ['subtask', 'TASK-001', 'subtask_01', 'start', '--progress', '300'],
      'payload.progress must be at most 100',
      '--progress must be at most 100',
    ],
    [['inbox', '--limit', 'x'], 'payload.limit must be an integer', '--limit must be an integer'],
    [['log', 'TASK-001', '--limit', 'x'], 'payload.limit must be an integer', '--limit must be an integer'],
    [['status', ''], 'payload.id is required', 'task is required'],
    [['check', ''], 'payload.id is required', 'task is required'],
    [['team', 'setup', '--invite', ''], 'payload.invite[0] must not be empty', '--invite must not be empty'],
  ])('%j', async (argv, error, said) => {
    const { run } = refusing(error);
    const { code, stderr } = await run(...argv);
    expect([code, stderr.split('\n')[0]]).toEqual([1, `error[invalid-argument]: ${said}`]);
    const { stdout } = await run(...argv, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: 'invalid-argument', error: said });
  });

  test('in what to do about it as well', async () => {
    const { run } = refusing('project already exists: p', 'choose another projectId, or leave it out to have one made');
    const { stderr } = await run('project', 'create', 'X', '--project-id', 'p');
    expect(stderr).toContain('\nchoose another --project-id, or leave it out to have one made\n');
  });

  test('but under its protocol name an action is refused in the words of the protocol', async () => {
    const { stderr } = await refusing('payload.projectId is required').run('projectflow', 'plan_dag');
    expect(stderr).toContain('payload.projectId is required');
  });

  test('but leaves the names of a payload that was typed as a whole', async () => {
    const { run } = refusing('payload.priority must be one of: P0, P1');
    const { stderr } = await run('create', 'X', '--payload', '{"priority": "P9"}');
    expect(stderr).toContain('payload.priority must be one of');
    const over = await run('create', 'X', '--payload', '{"priority": "P1"}', '--priority', 'P9');
    expect(over.stderr).toContain('--priority must be one of');
  });
});
