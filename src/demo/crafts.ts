import { count } from '../doors/cli/text.ts';
import { markdownText } from '../protocol/report-facts.ts';
import { ageTable, areaChart, byDay, groupCount, linesOf, table, topFiles } from './figures.ts';
import { MOST_COMMITS, countCommits, readHistory } from './history.ts';
import type { Commit } from './history.ts';
import { lint, mendOneKind } from './polish.ts';

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
  /** Told while the work goes on. */
  readonly progress?: string;
  /** A question for the Leader, asked before the result is submitted. */
  readonly question?: string;
}

export type Craft = (assignment: Assignment) => Outcome | Promise<Outcome>;

const commitsOf = (assignment: Assignment): readonly Commit[] =>
  JSON.parse(assignment.input('commits.json')) as Commit[];

function largest(commits: readonly Commit[], most: number): readonly Commit[] {
  return [...commits].sort((a, b) => linesOf(b) - linesOf(a)).slice(0, most);
}

const done = (summary: string, files: Outcome['files']): Outcome => ({ status: 'SUCCESS', summary, files });

/** The trades of the demo's two Workers. Each turns inputs into deliverables; what it says is what the history holds. */
export const CRAFTS: Readonly<Record<string, Craft>> = {
  async collect(assignment) {
    const commits = await readHistory(assignment);
    const authors = new Set(commits.map(({ author }) => author)).size;
    const summary = `${count(commits.length, 'commit')} by ${count(authors, 'author')} read from the history.`;
    const lines = commits.map((commit) => JSON.stringify(commit)).join(',\n');
    return {
      ...done(summary, { 'commits.json': `[\n${lines}\n]\n` }),
      progress: `${count(commits.length, 'commit')} read`,
    };
  },

  authors(assignment) {
    const counts = groupCount(commitsOf(assignment), ({ author }) => author);
    return done(`${count(counts.length, 'author')} counted.`, { 'authors.md': table(['Author', 'Commits'], counts) });
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
    return done(`${count(files.length, 'file')} listed that changed most.`, {
      'hotspots.md': table(['File', 'Commits'], files),
    });
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
    return done(`Changed lines added up for ${count(rows.length, 'area')}.`, {
      'areas.json': `${JSON.stringify(rows)}\n`,
    });
  },

  timeline(assignment) {
    const days = byDay(commitsOf(assignment));
    return done(`There are commits on ${count(days.length, 'day')}.`, { 'timeline.json': `${JSON.stringify(days)}\n` });
  },

  largest(assignment) {
    const rows = largest(commitsOf(assignment), 5).map(
      (commit) => [commit.hash, commit.subject, linesOf(commit)] as const,
    );
    return done(`The largest change has ${rows[0]?.[2] ?? 0} lines.`, { 'largest.json': `${JSON.stringify(rows)}\n` });
  },

  risks(assignment) {
    const commits = commitsOf(assignment);
    const share = Number.parseInt(assignment.settings['share'] ?? '', 10);
    if (Number.isNaN(share)) {
      const threshold = assignment.settings['threshold'] ?? '0 lines';
      const large = commits.filter((commit) => linesOf(commit) >= Number.parseInt(threshold, 10)).length;
      return {
        status: 'REVISION_NEEDED',
        summary: `${large} of ${commits.length} commits change ${threshold} or more: a fixed number says little about this history, a share of its commits is needed.`,
        files: {},
        notes: [`The largest commit changes ${Math.max(0, ...commits.map(linesOf))} lines.`],
      };
    }
    const rows = largest(commits, Math.ceil((commits.length * share) / 100));
    return done(`The largest ${share}% (${count(rows.length, 'commit')}) deserves a second look.`, {
      'risks.md': table(
        ['Commit', 'Subject', 'Lines'],
        rows.map((commit) => [commit.hash.slice(0, 10), commit.subject, linesOf(commit)]),
      ),
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
    const items = rows.map(
      ([hash, subject, lines]) => `${markdownText(subject, 120)} (${hash.slice(0, 10)}, ${lines} lines)`,
    );
    return done(`Highlights chosen for ${audience}.`, { 'highlights.md': `For ${audience}: ${items.join('; ')}.\n` });
  },

  chart(assignment) {
    const areas = JSON.parse(assignment.input('areas.json')) as readonly (readonly [string, number])[];
    const days = JSON.parse(assignment.input('timeline.json')) as readonly (readonly [string, number])[];
    return done(`${count(areas.length, 'area')} and ${count(days.length, 'day')} drawn.`, {
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
    const covered = commits.length < MOST_COMMITS ? commits.length : `the newest ${commits.length}`;
    const intro = `This report covers ${covered} commits that change ${lines} lines in all; its figures were counted from the history and can be counted again.`;
    const body = sections.map(([title, text]) => `## ${title}\n\n${text.trim()}\n`).join('\n');
    return done(`A draft with ${sections.length} sections.`, {
      'report.md': `# Release report\n\n${intro}\n\n${body}`,
    });
  },

  async verify(assignment) {
    const counted = await countCommits(assignment);
    const claimed = Number(
      /covers (?:the newest )?(\d+) commits/.exec(assignment.input('report.md'))?.[1] ?? Number.NaN,
    );
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
      notes: [`${count(total, 'place')} could read better; that changes no figure and can be polished afterwards.`],
    };
  },

  publish(assignment) {
    const text = `${assignment.input('report.md').trimEnd()}\n\n## Verification\n\n${assignment.input('verification.md').trim()}\n`;
    return done('The report is complete and verified.', { 'release-report.md': text });
  },

  polish(assignment) {
    const before = assignment.input('release-report.md');
    const { text, kind, mended } = mendOneKind(before);
    const left = lint(text).length;
    return done(`${mended} × ${kind} mended; ${count(left, 'finding')} left.`, {
      'release-report.md': text,
      'findings.json': `${JSON.stringify({ mended: kind, before: lint(before).length, after: left })}\n`,
    });
  },
};
