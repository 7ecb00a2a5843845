import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/baton.ts';
import { cliWith } from '../support/cli.ts';
import { startUp } from '../support/node.ts';
import { onHomeserver, onOwnHomeserver } from '../support/synapse/homeserver.ts';
import { matrixTeam, tokenOf } from '../support/synapse/team.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

type Team = Awaited<ReturnType<typeof matrixTeam>>;

/** What doctor says in the Leader's workspace of the chat: `check: detail` of all that is not well. */
async function doctor({ lead }: Team, env: NodeJS.ProcessEnv = tokenOf(lead.account)) {
  const { code, stdout, stderr } = await cliWith({ cwd: lead.dir, env }, 'doctor', '--json');
  expect(stdout, stderr).not.toBe('');
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  // Each tells what mends it.
  expect(findings.filter(({ ok, remedy }) => !ok && remedy === undefined)).toEqual([]);
  const lines = (chosen: readonly Finding[]) => chosen.map(({ check, detail }) => `${check}: ${detail}`);
  return {
    code,
    wrong: lines(findings.filter(({ ok }) => !ok)),
    warnings: lines(findings.filter(({ ok, remedy }) => ok && remedy !== undefined)),
    well: lines(findings.filter(({ ok, remedy }) => ok && remedy === undefined)),
    text: stdout,
  };
}

function edit({ lead }: Team, file: string, change: (value: Record<string, unknown>) => Record<string, unknown>): void {
  const path = join(lead.dir, file);
  const before = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, `${JSON.stringify(change(before), undefined, 2)}\n`);
}

onHomeserver('doctor on a homeserver', (homeserver) => {
  test('finds nothing wrong in a team that is well, with a node and without one', async () => {
    const team = await matrixTeam(homeserver());
    const alone = await doctor(team);
    // Its Worker has joined by its lane, and nobody has put it on the roster yet.
    const roster = expect.stringMatching(/^roster: \S+ works in a clone of its own and is not on the roster$/);
    expect(alone).toMatchObject({ code: 0, wrong: [], warnings: [roster] });
    expect(alone.well).toEqual(
      expect.arrayContaining([
        `homeserver: ${homeserver().url} answers`,
        `account: ${team.lead.userId} is let in`,
        'clock: agrees with the homeserver',
        `Team Room: ${team.teamRoom}: 4 joined`,
        `Leader DM: ${team.leaderDm}: 3 joined`,
        'listening: no node has listened to the rooms yet',
      ]),
    );
    const node = await startUp(team.lead.dir, tokenOf(team.lead.account));
    // The node has the token, doctor does not: it is the node that looks.
    const beside = await doctor(team, cleanEnvironment());
    expect(beside).toMatchObject({ code: 0, wrong: [] });
    await node.stop();
    expect((await doctor(team)).well).toContainEqual(expect.stringMatching(/^listening: rooms last heard at 20\d\d-/));
  });

  test('names a token that is not taken, and one of somebody else', async () => {
    const team = await matrixTeam(homeserver(), { workers: [] });
    const { lead, observer } = team;
    const wrong = await doctor(team, tokenOf({ ...lead.account, accessToken: 'syt_planted_wrong' }));
    expect(wrong).toMatchObject({
      code: 1,
      wrong: [
        `account: the rooms cannot be looked at: ${homeserver().url} does not accept the access token of ${lead.userId}`,
      ],
    });
    expect(wrong.text).not.toContain('syt_');
    expect(await doctor(team, tokenOf(observer.account))).toMatchObject({
      code: 1,
      wrong: [`account: the access token belongs to ${observer.userId}, and this node is ${lead.userId}`],
    });
  });

  test('names each room that is missing, and how', async () => {
    const team = await matrixTeam(homeserver(), { workers: [] });
    const { lead, observer, teamRoom } = team;
    const never = await observer.createRoom();
    const invited = await observer.createRoom({ invite: [lead.userId] });
    edit(team, 'shared/team.json', (settings) => ({
      ...settings,
      teamRoomId: `room:${never}`,
      leaderDmRoomId: invited,
      leaderRoomId: teamRoom,
    }));
    await lead.call('POST', `/rooms/${encodeURIComponent(teamRoom)}/leave`, {});
    expect(await doctor(team)).toMatchObject({
      code: 1,
      wrong: [
        `Team Room: room:${never} does not exist, or ${lead.userId} was never asked in`,
        `Leader DM: ${lead.userId} is only invited to ${invited}`,
        `Leader Room: ${lead.userId} is no longer in ${teamRoom}`,
      ],
    });
    edit(team, 'shared/team.json', ({ name, admin }) => ({ schema: 1, name, admin }));
    expect((await doctor(team)).wrong[0]).toBe('Team Room: shared/team.json names none (teamRoomId)');
  });

  test('names who has not joined, invited or not, and an admin outside the Leader DM', async () => {
    const team = await matrixTeam(homeserver());
    const { lead, members, admin, teamRoom } = team;
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const bo = await homeserver().register('bo');
    const room = await lead.createRoom({ invite: [bo.userId, admin.userId] });
    await admin.join(room);
    const alone = await lead.createRoom();
    edit(team, 'shared/team.json', (settings) => ({ ...settings, teamRoomId: room, leaderDmRoomId: alone }));
    for (const [name, user] of [
      ['ana', ana.userId],
      ['bo', bo.userId],
    ] as const) {
      const record = {
        schema: 1,
        agent_id: user.slice(1, user.indexOf(':')),
        name,
        matrix_user_id: user,
        role: 'worker',
      };
      writeFileSync(
        join(lead.dir, `shared/agents/${record.agent_id}.json`),
        `${JSON.stringify(record, undefined, 2)}\n`,
      );
    }
    const { code, wrong } = await doctor(team);
    expect(code).toBe(1);
    expect(wrong.toSorted()).toEqual(
      [
        `member: ${ana.userId} is neither in nor invited to the Team Room ${room}`,
        `member: ${bo.userId} is invited to the Team Room ${room} and has not joined`,
        `member: ${admin.userId} is neither in nor invited to the Leader DM ${alone}`,
      ].toSorted(),
    );
    expect(teamRoom).not.toBe(room);
  });

  test('says of an encrypted room what is supported and what is not', async () => {
    const team = await matrixTeam(homeserver(), { workers: [] });
    const content = { algorithm: 'm.megolm.v1.aes-sha2' };
    await team.lead.call('PUT', `/rooms/${encodeURIComponent(team.teamRoom)}/state/m.room.encryption/`, content);
    expect(await doctor(team)).toMatchObject({
      code: 1,
      wrong: [
        `encryption: the Team Room ${team.teamRoom} is encrypted: Baton can neither write nor read there; rooms without encryption are supported`,
      ],
    });
  });
});

onOwnHomeserver('doctor without a homeserver', { rateLimits: 'raised' }, (homeserver) => {
  test('names it, and the messages that wait for it with the reason', async () => {
    const team = await matrixTeam(homeserver(), { workers: [] });
    const { lead, teamRoom } = team;
    const env = tokenOf(lead.account);
    const message = ['message', 'send', '--target', teamRoom, '--message', 'The figures for May are in.'];
    await homeserver().halt();
    const sent = await cliWith({ cwd: lead.dir, env }, ...message, '--json');
    expect(sent.code).toBe(1);
    expect(JSON.parse(sent.stdout)).toMatchObject({ ok: false, code: 'notify-failed' });
    const { code, wrong, warnings } = await doctor(team);
    expect({ code, wrong }).toEqual({
      code: 1,
      wrong: [`homeserver: the rooms cannot be looked at: ${homeserver().url} cannot be reached`],
    });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^messages: one message waits to be sent, the oldest \(message, to !\S+\) for \d+ s: Matrix send failed: \S+ cannot be reached$/,
      ),
    ]);
    await homeserver().start();
    expect((await doctor(team)).wrong).toEqual([]);
  });
});
