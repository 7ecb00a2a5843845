import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLine } from '../../src/protocol/mention.ts';
import { testFolder } from '../support/folders.ts';
import { person } from '../support/synapse/accounts.ts';
import type { Person } from '../support/synapse/accounts.ts';
import { onHomeserver } from '../support/synapse/homeserver.ts';
import { MATRIX_PAGE, batonOnPath, examplesOf, missingLines, play } from './commands.ts';
import { readDocument } from './documents.ts';

const page = readDocument(MATRIX_PAGE);

/** What somebody with a client does who is asked in, as often as that happens. */
async function acceptInvitations({ call, join: enter }: Person, until: AbortSignal): Promise<void> {
  let since = '';
  while (!until.aborted) {
    const { next_batch: next, rooms } = await call('GET', `/sync?timeout=500${since}`);
    since = `&since=${encodeURIComponent(String(next))}`;
    const { invite = {} } = (rooms ?? {}) as { readonly invite?: object };
    for (const room of Object.keys(invite)) await enter(room);
  }
}

onHomeserver('the commands of docs/matrix.md', (homeserver) => {
  test('run in order on a homeserver, print what the page says, and are heard by the admin', async () => {
    const folder = testFolder('docs-mx');
    const [lead, ana, admin] = await Promise.all(['lead', 'ana', 'kim'].map((name) => homeserver().register(name)));
    if (lead === undefined || ana === undefined || admin === undefined) throw new Error('three accounts were made');
    writeFileSync(join(folder, 'lead.password'), `${lead.password}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'ana.password'), `${ana.password}\n`, { mode: 0o600 });
    const env = {
      ...batonOnPath(folder),
      HOMESERVER: homeserver().url,
      LEAD: lead.userId,
      ANA: ana.userId,
      ADMIN: admin.userId,
    };

    const examples = examplesOf(page);
    const kim = person(homeserver(), admin);
    const read = new AbortController();
    const accepting = acceptInvitations(kim, read.signal);
    const { code, outputs, errors } = await play(examples, folder, env).finally(() => read.abort());
    await accepting;
    const stopped = examples[outputs.length - 1]?.block.line ?? 0;
    expect({ code, errors }, `${MATRIX_PAGE}, the block at line ${stopped}`).toEqual({ code: 0, errors: '' });
    const missing = examples.flatMap(({ block, expected }, index) =>
      missingLines(expected, outputs[index] ?? '').map(
        (line) => `${MATRIX_PAGE}:${block.line} prints no line: ${line}`,
      ),
    );
    expect(missing, outputs.join('\n')).toEqual([]);

    const [, teamRoom = ''] = /teamRoomId +(!\S+)/.exec(outputs.join('\n')) ?? [];
    const heard = (await kim.messages(teamRoom)).map(({ content: { body = '' } }) => parseLine(body)?.kind);
    expect(heard).toEqual(['assigned', 'completed']);
  }, 240_000);
});

test('the lines that docs/matrix.md shows are read as what they say', () => {
  const [lines] = page.blocks.filter(({ meta }) => meta === 'lines');
  expect((lines?.text ?? '').split('\n').map((line) => parseLine(line)?.kind)).toEqual([
    'assigned',
    'completed',
    'blocked',
    'revision',
    'interrupted',
    'attention',
    'answered',
    'project-completed',
  ]);
});
