/** One step of the demo's project, as its Leader plans it. */
export interface Step {
  readonly key: string;
  readonly title: string;
  readonly worker: 'ana' | 'bo';
  readonly craft: string;
  readonly after: readonly string[];
  /** Deliverables of earlier steps that this one reads: `<step key>/<file>`. */
  readonly reads: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/** Thirteen steps with a diamond: everything grows out of 01 and comes together in 11. */
export const STEPS: readonly Step[] = [
  { key: '01', title: 'Collect the commits', worker: 'ana', craft: 'collect', after: [], reads: [] },
  { key: '02', title: 'Count the authors', worker: 'bo', craft: 'authors', after: ['01'], reads: ['01/commits.json'] },
  {
    key: '03',
    title: 'Sort by kind of change',
    worker: 'ana',
    craft: 'kinds',
    after: ['01'],
    reads: ['01/commits.json'],
  },
  {
    key: '04',
    title: 'Find the most changed files',
    worker: 'bo',
    craft: 'hotspots',
    after: ['01'],
    reads: ['01/commits.json'],
  },
  {
    key: '05',
    title: 'Add up changes by area',
    worker: 'ana',
    craft: 'areas',
    after: ['01'],
    reads: ['01/commits.json'],
  },
  { key: '06', title: 'Lay out the days', worker: 'bo', craft: 'timeline', after: ['01'], reads: ['01/commits.json'] },
  {
    key: '07',
    title: 'Find the largest changes',
    worker: 'ana',
    craft: 'largest',
    after: ['01'],
    reads: ['01/commits.json'],
  },
  {
    key: '08',
    title: 'List risky changes',
    worker: 'bo',
    craft: 'risks',
    after: ['04', '07'],
    reads: ['01/commits.json'],
    settings: { threshold: '1000 lines' },
  },
  {
    key: '09',
    title: 'Choose the highlights',
    worker: 'ana',
    craft: 'highlights',
    after: ['03', '07'],
    reads: ['07/largest.json'],
  },
  {
    key: '10',
    title: 'Draw areas and days',
    worker: 'bo',
    craft: 'chart',
    after: ['05', '06'],
    reads: ['05/areas.json', '06/timeline.json'],
  },
  {
    key: '11',
    title: 'Write the draft',
    worker: 'ana',
    craft: 'draft',
    after: ['02', '08', '09', '10'],
    reads: [
      '01/commits.json',
      '02/authors.md',
      '03/kinds.md',
      '04/hotspots.md',
      '08/risks.md',
      '09/highlights.md',
      '10/timeline.md',
    ],
  },
  { key: '12', title: 'Verify the figures', worker: 'bo', craft: 'verify', after: ['11'], reads: ['11/report.md'] },
  {
    key: '13',
    title: 'Publish the report',
    worker: 'ana',
    craft: 'publish',
    after: ['12'],
    reads: ['11/report.md', '12/verification.md'],
  },
];

/** How the Leader answers a result that is not a success. */
interface Answer {
  /** Said to the Worker in the team's room. */
  readonly reply: string;
  /** What the replacement is called, and what its spec adds. */
  readonly title: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** By craft; each question is answered once. */
export const ANSWERS: ReadonlyMap<string, Answer> = new Map([
  [
    'risks',
    {
      reply: 'list the largest tenth of the commits instead',
      title: 'List the riskiest tenth',
      settings: { share: '10%' },
    },
  ],
  [
    'highlights',
    {
      reply: 'the highlights are for engineers',
      title: 'Choose the highlights for engineers',
      settings: { audience: 'engineers' },
    },
  ],
]);

/** The spec that a Worker gets: prose for people, `Key: value` lines for the demo's small programs. */
export function specOf(options: {
  readonly title: string;
  readonly craft: string;
  readonly repository: string;
  readonly revision: string;
  readonly inputs: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly taskId: string;
}): string {
  const settings = Object.entries(options.settings).map(([name, value]) => `- Setting ${name}: ${value}`);
  return [
    `# ${options.title}`,
    '',
    '## Context',
    '',
    'Part of a release report that is counted from a git history.',
    '',
    '## Work',
    '',
    `- Craft: ${options.craft}`,
    `- Repository: ${options.repository}`,
    `- Revision: ${options.revision}`,
    ...options.inputs.map((path) => `- Input: ${path}`),
    ...settings,
    '',
    '## Expected result',
    '',
    `Deliverables under \`shared/tasks/${options.taskId}/workspace/\`, and a \`result.md\` with STATUS, SUMMARY and DELIVERABLES.`,
  ].join('\n');
}
