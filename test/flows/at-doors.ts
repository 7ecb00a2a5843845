import { expect } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { createLog } from '../../src/adapters/log.ts';
import type { Envelope } from '../../src/dialects/taskflow.ts';
import { createOutput } from '../../src/doors/cli/output.ts';
import { toResult } from '../../src/doors/mcp/tools.ts';
import type { Sync, WorkTree } from '../../src/ports.ts';
import { parseCommand } from '../../src/protocol/command.ts';
import { answerCommand } from '../../src/services/commands.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';
import { lead, NOW } from './office.ts';
import type { Office } from './office.ts';

/** What every door says first of a step that the state does not allow (features.md S002-09, S002-36). */
export const pairOf = (state: string, event: string): string =>
  `Invalid transition: ${state.toUpperCase()} + '${event}'`;

/**
 * What a refused step is answered with, at the doors behind which the call stands: MCP, the command line with and
 * without `--json`, and the task engine with its own words of states.
 */
export function expectRefused(answer: Envelope, state: string, event: string, code = 'illegal-transition'): void {
  expect(answer).toMatchObject({ ok: false, code, state, event });
  expect(sentence(answer).startsWith(pairOf(state, event)), sentence(answer)).toBe(true);
  // What follows is said behind a colon, and ends as the protocol has it.
  expect(sentence(answer).slice(pairOf(state, event).length)).toMatch(/^(?:: \S.*[^:. ])?$/);
  const result = toResult(answer);
  expect(result).toMatchObject({ isError: true, structuredContent: answer });
  expect(printed(answer, true).out).toEqual(answer);
  const { out, lines } = printed(answer, false);
  expect(out).toBeUndefined();
  const [said = '', remedy = '', ...rest] = lines;
  // One sentence, and one line of what to do, which is not said twice.
  expect([
    `error[${code}]: ${sentence(answer)}`,
    `error[${code}]: ${sentence(answer)}`.replace(`; ${remedy}`, ''),
  ]).toContain(said);
  expect([remedy, rest]).toEqual([expect.stringMatching(/\S/), []]);
  expect(said).not.toContain(remedy);
}

const sentence = ({ error = '' }: Envelope): string => error;

function printed(answer: Envelope, json: boolean): { out: unknown; lines: readonly string[] } {
  const [out, err]: string[][] = [[], []];
  const output = createOutput({
    json,
    quiet: false,
    color: false,
    width: 100,
    out: (text) => out?.push(text),
    err: (text) => err?.push(text),
    redact: (text) => text,
  });
  expect(output.answer(answer, () => '')).toBe(1);
  const [document] = out ?? [];
  return {
    out: document === undefined ? undefined : (JSON.parse(document) as unknown),
    lines: (err ?? []).join('').trimEnd().split('\n'),
  };
}

/** What the admin is told of a command in the Leader's room, where that changes nothing. */
export async function reply(office: Office, text: string): Promise<string> {
  const { files } = office;
  const before = { ...files };
  const command = parseCommand(text);
  if (command === undefined) throw new Error(`not a command: ${text}`);
  const said: string[] = [];
  await answerCommand(
    {
      sync: { pull: () => Promise.resolve() } as unknown as Sync,
      workTree: { view: () => createView(memoryReader(files)), root: '/w' } as unknown as WorkTree,
      execute: (name, input, { actor }) => office.internal(name, input, actor),
      outbox: {
        deliver: (messages) => {
          said.push(...messages.map((message) => message.text));
          return Promise.resolve([]);
        },
      },
      journal: { find: () => undefined, keep: () => undefined },
      identity: lead,
      clock: systemClock,
      log: createLog({ level: 'silent' }),
    },
    { eventId: '$order', room: '!dm:hs.local', sender: '@admin:hs.local', text, mentions: [], at: NOW },
    command,
  );
  expect(files).toEqual(before);
  return said.join('\n');
}
