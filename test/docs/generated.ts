import { configSchemas } from '../../src/config.ts';
import { renderActionReference } from '../../src/dialects/reference.ts';
import { ERROR_CODES } from '../../src/protocol/errors.ts';
import { renderLifecycle } from './lifecycle-page.ts';
import { table } from './table.ts';

/** What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of docs/protocol.md, by NAME. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
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
  'docs/lifecycle.md': renderLifecycle,
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

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
