import { createHash } from 'node:crypto';
import { gatherFacts, markdownText } from './report-facts.ts';
import type { ReportInput } from './report-facts.ts';
import { PROJECT_MARKS, symbolOf } from './report-marks.ts';
import { deliverablesOf, drawingOf, focusOf, nextStepsOf, notesOf, summaryOf, tableOf } from './report-parts.ts';

export { normaliseReplyRoute, reportRoute, reportRouting } from './report-route.ts';

/**
 * The requester's report as Markdown (protocol.md §14.3). It depends on the work alone, not on what became of earlier
 * reports, so that the same state always gives the same text. Bounded in size whatever the plan's, and without
 * anything that mentions somebody.
 */
export function composeReport(input: ReportInput): string {
  const facts = gatherFacts(input);
  const { meta, plan, labels, style } = facts;
  const title = markdownText(meta.title, 200);
  const status = `${symbolOf(PROJECT_MARKS[meta.status], style)} ${labels.projectStatus[meta.status]}`;
  const entry = (label: string, value: string): string => `- **${label}**${labels.colon}${value}`;
  const drawing = drawingOf(facts);
  const sections: readonly (readonly string[])[] = [
    ['---'],
    [`## ${labels.heading}${labels.colon}${title}`],
    [
      entry(labels.project, title),
      entry(labels.id, meta.project_id),
      entry(labels.mode, plan.kind === 'loop' ? 'Loop' : 'DAG'),
      entry(labels.status, status),
      entry(labels.focus, focusOf(facts)),
    ],
    [summaryOf(facts)],
    tableOf(facts),
    drawing.length === 0 ? [] : ['```text', ...drawing, '```'],
    list(labels.deliverables, deliverablesOf(facts)),
    list(labels.nextSteps, nextStepsOf(facts)),
    list(labels.notes, notesOf(facts)),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Names a report by its text and by the delivery that it follows, `''` for the first: what comes back is new again. */
export function reportDigest(text: string, after: string): string {
  return createHash('sha256').update(`${after}\0${text}`, 'utf8').digest('hex').slice(0, 12);
}

function list(heading: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`### ${heading}`, '', ...items.map((item) => `- ${item}`)];
}
