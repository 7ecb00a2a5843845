import { configSchemas } from '../../src/config.ts';
import { renderActionReference } from '../../src/dialects/reference.ts';
import { ERROR_CODES } from '../../src/protocol/errors.ts';
import { TASK_EFFECTS, TASK_GUARDS, TASK_TRANSITIONS } from '../../src/rules/lifecycle.ts';
import { PROJECT_EFFECTS, PROJECT_GUARDS, PROJECT_TRANSITIONS } from '../../src/rules/project-lifecycle.ts';

/** What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of docs/protocol.md, by NAME. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  'task-states': () =>
    table(
      ['from', 'step', 'to', 'who', 'when', 'then'],
      joined(TASK_TRANSITIONS, ({ event, to, role, guards, effects }) => [
        event,
        to,
        role,
        told(guards, TASK_GUARDS),
        told(effects, TASK_EFFECTS),
      ]),
    ),
  'project-states': () =>
    table(
      ['from', 'step', 'to', 'when', 'then'],
      joined(PROJECT_TRANSITIONS, ({ event, to, guards, effects }) => [
        event,
        to,
        told(guards, PROJECT_GUARDS),
        told(effects, PROJECT_EFFECTS),
      ]),
    ),
  codes: () =>
    table(
      ['code', 'retryable', 'HTTP'],
      Object.entries(ERROR_CODES).map(([code, { retryable, http }]) => [
        `\`${code}\``,
        retryable ? 'yes' : '',
        String(http),
      ]),
    ),
  actions: renderActionReference,
};

/** Files that are written whole, by path. */
export const FILES: Readonly<Record<string, () => string>> = {
  'docs/schemas/baton.schema.json': () => json(configSchemas()['baton.json']),
  'docs/schemas/team.schema.json': () => json(configSchemas()['team.json']),
};

/** The text with the section NAME replaced. */
export function withSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the markers of ${name} are missing`);
  return `${text.slice(0, from + begin.length)}\n\n${content.trim()}\n\n${text.slice(to)}`;
}

/** What names of guards or effects stand for. */
function told<Name extends string>(names: readonly Name[], words: Readonly<Record<Name, string>>): string {
  return names.map((name) => words[name]).join('; ');
}

/** Steps that differ only by where they come from share a row. */
function joined<Step extends { readonly from: string }>(
  steps: readonly Step[],
  cells: (step: Step) => readonly string[],
): readonly (readonly string[])[] {
  const rows = new Map<string, { from: string[]; cells: readonly string[] }>();
  for (const step of steps) {
    const key = cells(step).join('\n');
    const row = rows.get(key) ?? { from: [], cells: cells(step) };
    row.from.push(step.from);
    rows.set(key, row);
  }
  return [...rows.values()].map((row) => [row.from.join(', '), ...row.cells]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
