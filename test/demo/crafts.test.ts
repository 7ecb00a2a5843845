import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CRAFTS } from '../../src/demo/crafts.ts';
import type { Outcome } from '../../src/demo/crafts.ts';
import { MOST_COMMITS, findHistory } from '../../src/demo/history.ts';
import type { History } from '../../src/demo/history.ts';
import { lint } from '../../src/demo/polish.ts';
import { ANSWERS, STEPS } from '../../src/demo/script.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';

const BUNDLE = fileURLToPath(new URL('../../fixtures/demo/history.bundle', import.meta.url));

interface Played {
  /** What came back other than a success, by craft, before it was answered. */
  readonly returned: readonly string[];
  /** What each iteration of the Loop mended. */
  readonly mended: readonly string[];
  readonly files: ReadonlyMap<string, string>;
  readonly report: string;
}

type Source = Pick<History, 'repository' | 'revision'>;
type Work = (craft: string, reads: readonly string[], settings?: Readonly<Record<string, string>>) => Promise<Outcome>;

/** A Worker whose inputs lie in memory. */
function workerOn(source: Source, files: ReadonlyMap<string, string>): Work {
  return async (craft, reads, settings = {}) => {
    const input = (name: string): string => {
      const path = reads.find((read) => read.endsWith(`/${name}`)) ?? '';
      return files.get(path) ?? expect.fail(`${craft} reads ${name}, which nobody made`);
    };
    return (await CRAFTS[craft]?.({ ...source, taskId: craft, settings, input })) ?? expect.fail(`no craft ${craft}`);
  };
}

/** All steps one after the other, but for those whose deliverables are `given`, and then the Loop. */
async function play(source: Source, given: Readonly<Record<string, string>> = {}): Promise<Played> {
  const files = new Map(Object.entries(given));
  const work = workerOn(source, files);
  const returned: string[] = [];
  const known = new Set(Object.keys(given).map((path) => path.split('/')[0]));
  for (const { key, craft, reads, settings } of STEPS.filter((step) => !known.has(step.key))) {
    let outcome = await work(craft, reads, settings);
    if (!outcome.status.startsWith('SUCCESS')) {
      returned.push(`${craft} ${outcome.status}`);
      outcome = await work(craft, reads, ANSWERS.get(craft)?.settings);
    }
    expect(outcome.status, craft).toMatch(/^SUCCESS/);
    for (const [name, text] of Object.entries(outcome.files)) files.set(`${key}/${name}`, text);
  }
  return { returned, files, ...(await polish(files.get('13/release-report.md') ?? '', source)) };
}

/** As the Loop does it, until nothing is left; bounded, so that a Loop without an end fails instead of hanging. */
async function polish(draft: string, source: Source): Promise<Pick<Played, 'mended' | 'report'>> {
  const mended: string[] = [];
  let report = draft;
  for (let left = 1; left > 0 && mended.length < 9;) {
    const work = workerOn(source, new Map([['13/release-report.md', report]]));
    const { files } = await work('polish', ['13/release-report.md']);
    const findings = JSON.parse(files['findings.json'] ?? '{}') as { mended: string; after: number };
    report = files['release-report.md'] ?? '';
    mended.push(findings.mended);
    left = findings.after;
  }
  return { mended, report };
}

const STORY = {
  returned: ['risks REVISION_NEEDED', 'highlights BLOCKED'],
  mended: ['section without a lead sentence', 'bare commit hash', 'line over 100 characters'],
};

/** A repository whose commits are written in one go. */
function repositoryOf(
  commits: readonly { readonly author: string; readonly subject: string; readonly size: number }[],
): string {
  const folder = testFolder();
  git(folder, 'init', '-q', '-b', 'main');
  const stream = commits.map(({ author, subject, size }, index) => {
    const who = `${author} <a@local> ${1_700_000_000 + index * 40_000} +0100`;
    const text = 'line\n'.repeat(size);
    return [
      'commit refs/heads/main',
      `author ${who}`,
      `committer ${who}`,
      `data ${Buffer.byteLength(subject)}\n${subject}`,
      `M 100644 inline area-${index % 5}/file-${index % 13}.txt`,
      `data ${text.length}\n${text}`,
    ].join('\n');
  });
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${stream.join('\n')}\n` });
  return folder;
}

const ordinary = (count: number, author: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => ({
    author: author(index),
    subject: `Change ${index} of many`,
    size: (index * 7) % 40,
  }));

describe('the demo’s story', () => {
  test.each<[string, () => string]>([
    ['the bundled history', () => BUNDLE],
    ['a single commit', () => repositoryOf(ordinary(1, () => 'Ana'))],
    ['twelve commits by one author', () => repositoryOf(ordinary(12, () => 'Ana'))],
    ['commits that change nothing', () => repositoryOf(ordinary(12, () => 'Ana').map((one) => ({ ...one, size: 0 })))],
    ['seven hundred commits by many authors', () => repositoryOf(ordinary(700, (index) => `Author ${index % 60}`))],
    [
      'a shallow clone',
      () => {
        const clone = join(testFolder(), 'clone');
        const origin = repositoryOf(ordinary(40, (index) => `Author ${index % 3}`));
        git(origin, 'clone', '-q', '--depth', '15', `file://${origin}`, clone);
        return clone;
      },
    ],
  ])('is the same on %s, with the figures of git', async (_, place) => {
    const history = await findHistory(testFolder(), place());
    const { returned, mended, report, files } = await play(history);
    const authors = git(history.repository, 'log', '--no-merges', `--max-count=${MOST_COMMITS}`, '--format=%an').split(
      '\n',
    );
    const rows = (files.get('02/authors.md') ?? '').trim().split('\n').slice(2);
    const counts = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    const all = authors.length < MOST_COMMITS ? String(authors.length) : `the newest ${authors.length}`;

    expect({ returned, mended }).toEqual(STORY);
    expect(lint(report)).toEqual([]);
    expect(report).toContain(`This report covers ${all} commits that change ${linesOf(history)} lines in all;`);
    expect(new Map(counts.map(([, author, count]) => [author, Number(count)]))).toEqual(countsOf(authors));
  });

  test('is the same whatever people write into commits', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        '#',
        '##',
        '- [ ]',
        '|',
        '```',
        '`',
        '<b>',
        '0123456789',
        '@room',
        '---',
        'x'.repeat(120),
        '1.',
        '漢字',
      ),
      fc.string({ unit: 'grapheme' }),
    );
    const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(' ').replaceAll(/\s+/g, ' ').trim());
    const file = fc.record({ path: text, added: fc.nat(5_000), removed: fc.nat(5_000) });
    const commit = fc.record({
      hash: fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 40, maxLength: 40 }),
      author: text,
      date: fc.constantFrom('2026-06-06T10:00:00+02:00', '2026-06-07T10:00:00Z'),
      subject: text,
      files: fc.array(file, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 20 }), async (commits) => {
        const { returned, mended, report } = await play(NOWHERE, {
          '01/commits.json': JSON.stringify(commits),
          '12/verification.md': 'Not counted.\n',
        });

        expect({ returned, mended }).toEqual(STORY);
        expect(lint(report)).toEqual([]);
        expect(report.split('\n').filter((line) => line.startsWith('#'))).toEqual(HEADINGS);
      }),
    );
  });
});

/** Nothing of a generated history can be looked up. */
const NOWHERE: Source = { repository: '', revision: '' };

const HEADINGS = [
  '# Release report',
  ...['Highlights', 'Authors', 'What was done', 'Most changed files', 'Large changes', 'Days', 'Verification'].map(
    (title) => `## ${title}`,
  ),
];

function countsOf(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function linesOf({ repository }: History): number {
  const numbers = git(
    repository,
    'log',
    '--no-merges',
    '--no-renames',
    `--max-count=${MOST_COMMITS}`,
    '--numstat',
    '--format=',
  );
  return numbers
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .reduce((sum, word) => sum + Number(word), 0);
}
