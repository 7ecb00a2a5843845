import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './documents.ts';
import { FILES, SECTIONS, withSection } from './generated.ts';

const PAGE = join(ROOT, 'docs/protocol.md');

/** `UPDATE_DOCS=1 npm test -- test/docs` writes what is out of date instead of failing. */
const update = process.env['UPDATE_DOCS'] === '1';

describe('the generated parts of the docs are current', () => {
  test.each(Object.entries(SECTIONS))('section %s of docs/protocol.md', (name, render) => {
    const text = readFileSync(PAGE, 'utf8');
    const wanted = withSection(text, name, render());
    if (update && wanted !== text) writeFileSync(PAGE, wanted);
    expect(update ? wanted : text).toBe(wanted);
  });

  test.each(Object.entries(FILES))('%s', (path, render) => {
    const file = join(ROOT, path);
    if (update) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, render());
    }
    expect(existsSync(file) ? readFileSync(file, 'utf8') : undefined).toBe(render());
  });

  test('markers that are missing or in the wrong order are an error', () => {
    expect(() => withSection('<!-- x:end --> <!-- x:begin -->', 'x', '')).toThrow('the markers of x are missing');
    expect(withSection('a <!-- x:begin -->old<!-- x:end --> b', 'x', 'new\n')).toBe(
      'a <!-- x:begin -->\n\nnew\n\n<!-- x:end --> b',
    );
  });
});
