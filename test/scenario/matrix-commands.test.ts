import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App, Envelope } from '../../src/app-types.ts';
import { parseEventLines } from '../../src/protocol/records/event.ts';
import { eventLogPath } from '../../src/protocol/paths.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { localpartOf } from '../../src/protocol/identity.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { onHomeserver } from '../support/synapse/homeserver.ts';
import { proxyTo } from '../support/synapse/proxy.ts';
import { matrixTeam, SILENT, startMatrixNode, tokenOf } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

const call = (app: App, action: string, payload: Record<string, unknown>): Promise<Envelope> =>
  app.call({ tool: /task$|attention/.test(action) ? 'taskflow' : 'projectflow', action, payload });

async function must(app: App, action: string, payload: Record<string, unknown>): Promise<Envelope> {
  const answer = await call(app, action, payload);
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}

const projectId = 'figures';

async function plan(app: App, taskIds: readonly string[], assignedTo: string): Promise<void> {
  await must(app, 'create_project', { projectId, title: 'Figures', source: 'team-admin' });
  await must(app, 'plan_dag', { projectId, tasks: taskIds.map((taskId) => ({ taskId, title: taskId, assignedTo })) });
}

/** A team with the admin's hand on the Leader DM: `order` says something there and waits for the reply to it. */
async function staffed(homeserver: Parameters<typeof matrixTeam>[0], options: Parameters<typeof matrixTeam>[1] = {}) {
  const team = await matrixTeam(homeserver, options);
  const { lead, members, admin, observer, leaderDm } = team;
  const [ana] = members;
  if (ana === undefined) throw new Error('a team needs a Worker');
  const replies = async () => {
    const said = await observer.messages(leaderDm);
    return said.filter(({ sender, content }) => sender === lead.userId && !content.body?.startsWith('---\n\n## '));
  };
  const order = async (text: string): Promise<string> => {
    const before = (await replies()).length;
    await admin.say(leaderDm, text);
    return eventually(async () => (await replies())[before]?.content.body, `a reply to ${text}`);
  };
  return { ...team, ana, replies, order };
}

/** The audit events in the remote's main branch that a person caused. */
function caused(remote: string, localpart: string): readonly unknown[] {
  const text = git(remote, 'show', `main:${eventLogPath(systemClock.now(), localpart)}`);
  return parseEventLines(text, 'events')
    .events.filter(({ data }) => data?.['cause'] !== undefined)
    .map(({ type, actor, subject }) => `${type} ${subject?.id ?? ''} by ${actor.role} ${actor.id}`);
}

onHomeserver('the admin in the Leader DM', (homeserver) => {
  test('looks, decides, answers and steers, and is recorded as who did so', { timeout: 240_000 }, async () => {
    const { lead, ana, admin, observer, teamRoom, leaderDm, remote, order, replies } = await staffed(homeserver());
    const leader = await startMatrixNode(lead);
    const worker = await startMatrixNode(ana);
    expect(await order('status')).toBe('There is no project that is still open.');
    await plan(leader, ['f-1', 'f-2', 'f-3'], ana.userId);
    for (const taskId of ['f-1', 'f-2', 'f-3']) {
      await must(leader, 'delegate_task', { projectId, taskId, roomId: teamRoom, spec: 'Do it.' });
      await eventually(async () => (await call(worker, 'ack_task', { taskId })).ok || undefined, `${taskId} arrives`);
    }
    expect(await order('Accept f-1')).toMatch(
      /^Invalid transition: IN_PROGRESS \+ 'accept'\. Nothing has been submitted for `f-1`/,
    );
    await must(worker, 'submit_task', { taskId: 'f-1', status: 'SUCCESS', summary: 'All of them.' });
    await must(worker, 'submit_task', { taskId: 'f-2', status: 'SUCCESS', summary: 'Some of them.' });
    await must(worker, 'request_attention', { taskId: 'f-3', kind: 'approval', question: 'May I drop <b>Malta</b>?' });
    const status = await eventually(async () => {
      const text = await order('!Status figures');
      return text.includes('Malta') && text.includes('`f-2` waits') ? text : undefined;
    }, 'all of it arrives');
    expect(status).toBe(
      [
        '- **Figures** (`figures`): active, 0 of 3 tasks completed',
        '  - being worked on: `f-3`',
        '  - `f-1` waits for your decision (SUCCESS)',
        '  - `f-2` waits for your decision (SUCCESS)',
        '  - `f-3` asks (approval): May I drop \\<b\\>Malta\\</b\\>?',
      ].join('\n'),
    );

    expect(await order(`${lead.userId}: pause figures waiting for the budget`)).toBe(
      'Project `figures` is paused (waiting for the budget). Work under way goes on; nothing new is started.',
    );
    expect(await order('accept f-1')).toBe(
      'Project `figures` is paused, and nothing is accepted meanwhile. First `resume` it.',
    );
    expect(await order('pause figures')).toMatch(/^Project `figures` is paused \(waiting for the budget\)\./);
    expect(await order('resume')).toBe('Project `figures` goes on.');
    expect(await order('accept f-1: Well done')).toBe('`f-1` is accepted.');
    expect(await order('accept f-1')).toBe('`f-1` is accepted.');
    expect(await order('reject f-1 no')).toMatch(
      /^Invalid transition: COMPLETED \+ 'revise'\. `f-1` was decided before, as `completed`\./,
    );
    expect(await order('reject f-2')).toBe('Something is missing. Write it like this: `reject <task> <reason>`');
    expect(await order('Reject f-2: Malta is missing.')).toMatch(/^`f-2` needs a revision/);
    expect(await order('deny f-3 Keep Malta.')).toBe('Your answer on `f-3` is recorded, and the Worker is told.');
    expect(await order('approve f-3')).toMatch(/^That did not work: the question was already answered by /);
    expect(await order('answer f-2 no')).toMatch(/^`f-2` was decided before, as `revision`\./);
    expect(await order('accept f-9')).toMatch(/^There is no task `f-9`\./);
    expect(await order('report nothing')).toBe('There is no project `nothing`. Projects: `figures`.');
    expect(await order('stauts')).toMatch(/^I do not know the command `stauts`\.\n\nWhat I understand here:/);
    expect(await order('help')).toMatch(/^What I understand here:\n\n- `status \[project\]`: /);

    const by = `by admin ${localpartOf(admin.userId)}`;
    expect(caused(remote, localpartOf(lead.userId))).toEqual([
      `project.paused figures ${by}`,
      `project.resumed figures ${by}`,
      `task.completed f-1 ${by}`,
      `task.revision f-2 ${by}`,
      `task.attention_answered f-3 ${by}`,
    ]);
    const answers = (await observer.messages(teamRoom)).filter(({ content }) => content.body?.includes('ANSWERED'));
    expect(answers).toMatchObject([
      {
        sender: lead.userId,
        content: {
          body: expect.stringContaining(`${ana.userId} ATTENTION_ANSWERED: f-3 - denied: Keep Malta.`) as string,
          'm.mentions': { user_ids: [ana.userId] },
        },
      },
    ]);
    const seen = await eventually(async () => {
      const { task } = await call(worker, 'ack_task', { taskId: 'f-3' });
      return (task as { attention: readonly { answer?: string }[] }).attention[0]?.answer;
    }, 'the answer reaches the Worker');
    expect(seen).toBe('denied: Keep Malta.');
    for (const { content } of await replies()) expect(content).toMatchObject({ msgtype: 'm.text', 'm.mentions': {} });

    const before = (await observer.messages(leaderDm)).length;
    await admin.say(leaderDm, 'report figures');
    const [report] = await eventually(async () => {
      const said = (await observer.messages(leaderDm)).slice(before + 1);
      return said.length > 0 ? said : undefined;
    }, 'the report');
    expect(report?.content).toMatchObject({
      body: expect.stringContaining('## Project report: Figures') as string,
      formatted_body: expect.stringContaining('<table>') as string,
    });
  });

  test('is answered in the language of the team', async () => {
    const { lead, ana, order } = await staffed(homeserver());
    const leader = await startMatrixNode(lead);
    await plan(leader, ['f-1'], ana.userId);
    await leader.stop();
    const path = join(lead.dir, 'shared/team.json');
    const settings = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...settings, policies: { language: 'zh-CN' } }));
    await startMatrixNode(lead);
    expect(await order('pause')).toBe('项目 `figures` 已暂停。进行中的工作继续，不再开始新任务。');
    expect(await order('accept f-1')).toBe(
      "Invalid transition: PENDING + 'accept'. `f-1` 还没有提交结果（当前为 `pending`），无法作出决定。请等待其结果。",
    );
  });

  test.each(['before', 'after'] as const)(
    'is obeyed once by a node that is killed just %s its reply is sent',
    async (when) => {
      const proxy = await proxyTo(homeserver().url);
      const { lead, ana, admin, leaderDm, remote, replies } = await staffed(homeserver(), { through: proxy.url });
      // What was said before an account ever listened is history, so it listens once before.
      const first = await startUp(lead.dir, tokenOf(lead.account));
      await eventually(() => existsSync(join(lead.dir, '.baton/matrix/since')) || undefined, 'the node listens');
      await first.stop();
      const app = await openApp({ root: lead.dir, env: tokenOf(lead.account), log: SILENT });
      await plan(app, ['f-1'], ana.userId);
      await app.close();
      const node = await startUp(lead.dir, tokenOf(lead.account));
      const killed = Promise.withResolvers<void>();
      proxy.meet({ [when]: () => node.kill().then(killed.resolve) });
      await admin.say(leaderDm, 'pause figures');
      await killed.promise;
      expect((await replies()).length).toBe(when === 'before' ? 0 : 1);
      // Whoever resumes it meanwhile must not find it paused again.
      const meanwhile = await openApp({ root: lead.dir, env: tokenOf(lead.account), log: SILENT });
      await must(meanwhile, 'resume_project', { projectId });
      await meanwhile.close();

      const next = await startUp(lead.dir, tokenOf(lead.account));
      await admin.say(leaderDm, 'status');
      const said = await eventually(async () => {
        const all = (await replies()).map(({ content }) => content.body ?? '');
        return all.length > 1 ? all : undefined;
      }, 'both replies');
      expect(said).toEqual([
        'Project `figures` is paused. Work under way goes on; nothing new is started.',
        '- **Figures** (`figures`): active, 0 of 1 task completed',
      ]);
      expect(caused(remote, localpartOf(lead.userId)).length).toBe(1);
      expect(await next.stop()).toBe(0);
    },
  );

  test('is answered late and once when the homeserver refuses the reply, and the work is done once', async () => {
    const proxy = await proxyTo(homeserver().url);
    const { lead, ana, remote, order, replies } = await staffed(homeserver(), { through: proxy.url });
    const leader = await startMatrixNode(lead);
    await plan(leader, ['f-1'], ana.userId);
    proxy.meet({ before: () => Promise.resolve() });
    expect(await order('pause figures')).toMatch(/^Project `figures` is paused/);
    expect(await order('resume figures')).toBe('Project `figures` goes on.');
    expect((await replies()).length).toBe(2);
    expect(caused(remote, localpartOf(lead.userId)).length).toBe(2);
  });
});
