import { countCommits, readHistory } from './history.ts';
import type { Commit } from './history.ts';
import { ageTable, areaChart, byDay, groupCount, linesOf, table, topFiles } from './figures.ts';
import { lint, mendMostFrequent } from './polish.ts';

/** What a Worker program reads out of its spec. */
export interface Assignment {
  readonly taskId: string;
  readonly repository: string;
  /** The commit up to which the history is read; fixed for the whole project. */
  readonly revision: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Text of the input whose path ends in `name`; throws when the spec names none. */
  input(name: string): string;
}

export interface Outcome {
  readonly status: 'SUCCESS' | 'SUCCESS_WITH_NOTES' | 'REVISION_NEEDED' | 'BLOCKED';
  readonly summary: string;
  /** File name under the task's workspace → content. */
  readonly files: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
  /** A question for the Leader, asked before the result is submitted. */
  readonly question?: string;
}

export type Craft = (assignment: Assignment) => Outcome | Promise<Outcome>;

const commitsOf = (assignment: Assignment): readonly Commit[] =>
  JSON.parse(assignment.input('commits.json')) as Commit[];

const done = (summary: string, files: Outcome['files']): Outcome => ({ status: 'SUCCESS', summary, files });

/** The trades of the demo's two Workers. Each turns inputs into deliverables; what it says is what the history holds. */
export const CRAFTS: Readonly<Record<string, Craft>> = {
  async collect({ repository, revision }) {
    const commits = await readHistory(repository, revision);
    const authors = new Set(commits.map(({ author }) => author)).size;
    const summary = `${commits.length} commits by ${authors} author(s) read from the history.`;
    return done(summary, { 'commits.json': `${JSON.stringify(commits, null, 1)}\n` });
  },

  authors(assignment) {
    const counts = groupCount(commitsOf(assignment), ({ author }) => author);
    return done(`${counts.length} author(s) counted.`, { 'authors.md': table(['Author', 'Commits'], counts) });
  },

  kinds(assignment) {
    const counts = groupCount(commitsOf(assignment), ({ subject }) => subject.split(/\s/)[0] ?? '').slice(0, 8);
    const [most] = counts;
    return done(`Subjects begin most often with "${most?.[0] ?? ''}".`, {
      'kinds.md': table(['First word', 'Commits'], counts),
    });
  },

  hotspots(assignment) {
    const files = topFiles(commitsOf(assignment), 8);
    return done(`${files.length} most changed files listed.`, { 'hotspots.md': table(['File', 'Commits'], files) });
  },

  areas(assignment) {
    const lines = new Map<string, number>();
    for (const { files } of commitsOf(assignment)) {
      for (const file of files) {
        const area = file.path.includes('/') ? (file.path.split('/')[0] ?? '') : '(top level)';
        lines.set(area, (lines.get(area) ?? 0) + file.added + file.removed);
      }
    }
    const rows = [...lines].sort((a, b) => b[1] - a[1]).slice(0, 8);
    return done(`Changed lines added up for ${rows.length} area(s).`, { 'areas.json': `${JSON.stringify(rows)}\n` });
  },

  timeline(assignment) {
    const days = byDay(commitsOf(assignment));
    return done(`The work spans ${days.length} day(s).`, { 'timeline.json': `${JSON.stringify(days)}\n` });
  },

  largest(assignment) {
    const rows = [...commitsOf(assignment)]
      .sort((a, b) => linesOf(b) - linesOf(a))
      .slice(0, 5)
      .map((commit) => [commit.hash, commit.subject, linesOf(commit)] as const);
    return done(`The largest change has ${rows[0]?.[2] ?? 0} lines.`, { 'largest.json': `${JSON.stringify(rows)}\n` });
  },

  risks(assignment) {
    const commits = commitsOf(assignment);
    const sizes = commits.map(linesOf).sort((a, b) => a - b);
    const setting = assignment.settings['threshold'] ?? '1000000';
    const relative = setting.endsWith('%');
    const threshold = relative
      ? (sizes[Math.floor((sizes.length * Number.parseInt(setting, 10)) / 100)] ?? 0)
      : Number(setting);
    const risky = commits.filter((commit) => linesOf(commit) >= threshold);
    if (risky.length === 0) {
      return {
        status: 'REVISION_NEEDED',
        summary: `No commit changes ${setting} lines or more, so the list would be empty; a threshold relative to this history is needed.`,
        files: {},
        notes: [`The largest commit changes ${sizes.at(-1) ?? 0} lines.`],
      };
    }
    const rows = risky.slice(-6).map((commit) => [commit.hash.slice(0, 10), commit.subject, linesOf(commit)] as const);
    return done(`${risky.length} commit(s) with ${threshold} lines or more deserve a second look.`, {
      'risks.md': table(['Commit', 'Subject', 'Lines'], rows),
    });
  },

  highlights(assignment) {
    const audience = assignment.settings['audience'];
    if (audience === undefined) {
      return {
        status: 'BLOCKED',
        summary: 'The spec does not say for whom the highlights are written.',
        files: {},
        question: 'Are the highlights for engineers or for users? The choice of commits depends on it.',
      };
    }
    const rows = JSON.parse(assignment.input('largest.json')) as readonly [string, string, number][];
    const text = rows.map(([hash, subject, lines]) => `${subject} (${hash.slice(0, 10)}, ${lines} lines)`).join('; ');
    return done(`Highlights chosen for ${audience}.`, { 'highlights.md': `For ${audience}: ${text}.\n` });
  },

  chart(assignment) {
    const areas = JSON.parse(assignment.input('areas.json')) as readonly (readonly [string, number])[];
    const days = JSON.parse(assignment.input('timeline.json')) as readonly (readonly [string, number])[];
    return done(`${areas.length} areas and ${days.length} day(s) drawn.`, {
      'areas.svg': areaChart(areas),
      'timeline.md': ageTable(days),
    });
  },

  draft(assignment) {
    const sections: readonly (readonly [string, string])[] = [
      ['Highlights', assignment.input('highlights.md')],
      ['Authors', assignment.input('authors.md')],
      ['What was done', assignment.input('kinds.md')],
      ['Most changed files', assignment.input('hotspots.md')],
      ['Large changes', assignment.input('risks.md')],
      ['Days', assignment.input('timeline.md')],
    ];
    const commits = commitsOf(assignment);
    const lines = commits.reduce((sum, commit) => sum + linesOf(commit), 0);
    const intro = `This report covers ${commits.length} commits that change ${lines} lines in all; its figures were counted from the history and can be counted again.`;
    const body = sections.map(([title, text]) => `## ${title}\n\n${text.trim()}\n`).join('\n');
    return done(`A draft with ${sections.length} sections.`, {
      'report.md': `# Release report\n\n${intro}\n\n${body}`,
    });
  },

  async verify(assignment) {
    const counted = await countCommits(assignment.repository, assignment.revision);
    const claimed = Number(/covers (\d+) commits/.exec(assignment.input('report.md'))?.[1] ?? Number.NaN);
    if (counted !== claimed) {
      return {
        status: 'REVISION_NEEDED',
        summary: `The draft says ${claimed} commits, git counts ${counted}.`,
        files: {},
      };
    }
    const open = lint(assignment.input('report.md'));
    const total = open.length;
    return {
      status: 'SUCCESS_WITH_NOTES',
      summary: `git counts ${counted} commits as the draft says.`,
      files: { 'verification.md': `Commits in the draft: ${claimed}; counted by git: ${counted}.\n` },
      notes: [`${total} place(s) read badly; they change no figure and can be polished afterwards.`],
    };
  },

  publish(assignment) {
    const text = `${assignment.input('report.md').trimEnd()}\n\n## Verification\n\n${assignment.input('verification.md').trim()}\n`;
    return done('The report is complete and verified.', { 'release-report.md': text });
  },

  polish(assignment) {
    const before = assignment.input('release-report.md');
    const { text, kind, mended } = mendMostFrequent(before);
    const left = lint(text).length;
    return done(`${mended} × ${kind} mended; ${left} finding(s) left.`, {
      'release-report.md': text,
      'findings.json': `${JSON.stringify({ mended: kind, before: lint(before).length, after: left })}\n`,
    });
  },
};
