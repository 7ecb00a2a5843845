import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseLine } from '../../src/protocol/mention.ts';
import type { ProtocolLine } from '../../src/protocol/mention.ts';
import { batonWith, cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import { keptFolder, testFolder } from '../support/folders.ts';
import { logIn, person } from '../support/synapse/accounts.ts';
import type { RoomEvent } from '../support/synapse/accounts.ts';
import { onOwnHomeserver } from '../support/synapse/homeserver.ts';

const BUNDLE = fileURLToPath(new URL('../../fixtures/demo/history.bundle', import.meta.url));
/** Only catches what hangs: a homeserver that limits messages takes its time. */
const PATIENCE = 420_000;

/** What `baton demo --matrix --json` tells of its rooms. */
interface Told {
  readonly ok: boolean;
  readonly reports: readonly string[];
  readonly matrix: {
    readonly homeserver: string;
    readonly userId: string;
    readonly password: string;
    readonly teamRoom: string;
    readonly leaderDm: string;
  };
}

interface Heard {
  readonly line: ProtocolLine;
  readonly text: string;
  readonly event: RoomEvent;
}

/** The protocol's lines of a room, also those that came gathered in one message, a paragraph each. */
function linesOf(events: readonly RoomEvent[]): readonly Heard[] {
  return events.flatMap((event) =>
    (event.content.body ?? '').split(/\n{2,}/).flatMap((text) => {
      const line = parseLine(text);
      return line === undefined ? [] : [{ line, text, event }];
    }),
  );
}

const idsOf = (heard: readonly Heard[], ...kinds: readonly string[]): readonly string[] =>
  heard
    .filter(({ line }) => kinds.includes(line.kind))
    .map(({ line }) => line.taskId ?? line.projectId ?? '')
    .map((id) => id.replace(/-\d{8}-\d{6}/, ''))
    .sort();

/** The end of a `matrix.to` link, from which a client makes a pill. */
const link = (user: string): string => `<a href="https://matrix.to/#/${encodeURIComponent(user)}">`;

onOwnHomeserver('the demo on a homeserver with its usual limits', { rateLimits: 'default' }, (homeserver) => {
  let told: Told;
  let team: readonly RoomEvent[] = [];
  let direct: readonly RoomEvent[] = [];

  beforeAll(async () => {
    const folder = keptFolder('demo-mx');
    const { url, secret } = homeserver();
    const env = { BATON_TEST_HOMESERVER: url, BATON_TEST_HOMESERVER_SECRET: secret };
    const flags = ['--matrix', '--once', '--json', '--dir', 'demo', '--history', BUNDLE];
    const run = await batonWith({ cwd: folder.path, env }, 'demo', ...flags);
    folder.remove();
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    told = JSON.parse(run.stdout) as Told;
    const { userId, password, teamRoom, leaderDm } = told.matrix;
    const requester = person(homeserver(), await logIn(url, userId, password));
    team = await requester.messages(teamRoom);
    direct = await requester.messages(leaderDm);
  }, PATIENCE);

  test('says every assignment and every result in the Team Room, once', () => {
    const steps = Array.from({ length: 13 }, (_, at) => `release-${String(at + 1).padStart(2, '0')}`);
    const rounds = ['polish-i001-01', 'polish-i002-01', 'polish-i003-01'];
    const heard = linesOf(team);

    expect({
      assigned: idsOf(heard, 'assigned'),
      completed: idsOf(heard, 'completed'),
      returned: idsOf(heard, 'revision', 'blocked'),
      asked: idsOf(heard, 'attention'),
      ended: idsOf(heard, 'project-completed'),
    }).toEqual({
      assigned: [...rounds, ...steps, 'release-08b', 'release-09b'].sort(),
      completed: [...rounds, ...steps, 'release-08b', 'release-09b']
        .filter((id) => id !== 'release-08' && id !== 'release-09')
        .sort(),
      returned: ['release-08', 'release-09'],
      asked: ['release-09'],
      ended: ['polish', 'release'],
    });
  });

  test('mentions whom each line names in the metadata, and with a link that a client shows as a pill', () => {
    const unlike = linesOf(team).filter(({ text, event: { content } }) => {
      const named = /^(?:@\S+ )+/.exec(text)?.[0].trim().split(' ') ?? [];
      const mentioned = content['m.mentions']?.user_ids ?? [];
      return (
        named.length === 0 ||
        !named.every((id) => mentioned.includes(id) && content.formatted_body?.includes(link(id)) === true)
      );
    });

    expect(unlike.map(({ text }) => text)).toEqual([]);
  });

  test('is said by whom it is about: assignments by the Leader, results by their Workers', () => {
    const speakers = (kind: string): readonly string[] =>
      [...new Set(linesOf(team).flatMap(({ line, event }) => (line.kind === kind ? [event.sender] : [])))]
        .map((sender) => sender.replace(/-[0-9a-f]{8}:.*$/, ''))
        .sort();

    expect([speakers('assigned'), speakers('completed')]).toEqual([['@lead'], ['@ana', '@bo']]);
  });

  test('tells its requester of both projects in the Leader DM, each state once', () => {
    const reports = direct.flatMap(({ content }) => (content.body ?? '').split(/^(?=## Project report: )/m).slice(1));
    const final = reports.filter((text) => text.includes('- **Status**: ✅ completed'));

    expect(new Set(reports).size).toBe(reports.length);
    expect(new Set(final.map((text) => /- \*\*ID\*\*: ([a-z]+)/.exec(text)?.[1]))).toEqual(
      new Set(['release', 'polish']),
    );
    expect(final.length).toBe(2);
    expect(told.reports.filter((report) => !direct.some(({ content }) => content.body === report))).toEqual([]);
    expect(direct.filter(({ content }) => content.formatted_body?.includes('<table>') !== true)).toEqual([]);
  });

  test(
    'with a homeserver of its own takes everything down on Ctrl-C',
    async () => {
      const folder = testFolder('demo');
      const temporary = testFolder('demo-tmp');
      const parameters = [BATON, 'demo', '--matrix', '--dir', 'demo', '--history', BUNDLE];
      const env = { ...cleanEnvironment(), TMPDIR: temporary };
      const child = spawn(process.execPath, parameters, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      let output = '';
      const begun = Promise.withResolvers<void>();
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          if (output.includes('[~] 01')) begun.resolve();
        });
      }
      const ended = once(child, 'close');
      await Promise.race([begun.promise, ended]);
      const [, url = '', user = '', password = ''] =
        /They talk on (\S+): look in with Element as (\S+), password (\S+)/.exec(output) ?? [];
      expect((await logIn(url, user, password)).userId, output).toBe(user);

      child.kill('SIGINT');
      expect(await ended).toEqual([130, null]);
      expect(output).toMatch(/\nstopped by SIGINT; what was made so far is in demo\n$/);
      const { stdout: processes } = await promisify(execFile)('ps', ['-A', '-o', 'args=']);
      const mine = [folder, temporary];
      expect({
        left: readdirSync(temporary).filter((name) => name.startsWith('baton-')),
        running: processes.split('\n').filter((line) => mine.some((path) => line.includes(path))),
      }).toEqual({ left: [], running: [] });
      await expect(fetch(url)).rejects.toThrow('fetch failed');
    },
    PATIENCE,
  );
});
