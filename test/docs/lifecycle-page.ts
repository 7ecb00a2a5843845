import { markerOf } from '../../src/protocol/plan-types.ts';
import { TASK_STATUSES } from '../../src/protocol/records/types.ts';
import { isTerminalTask, markerFor, TASK_EFFECTS, TASK_GUARDS, TASK_TRANSITIONS } from '../../src/rules/lifecycle.ts';
import {
  isTerminalProject,
  PROJECT_EFFECTS,
  PROJECT_GUARDS,
  PROJECT_STATES,
  PROJECT_TRANSITIONS,
  projectState,
} from '../../src/rules/project-lifecycle.ts';
import { joined, table } from './table.ts';

/** docs/lifecycle.md, all of it: diagrams and tables of src/rules, with what ties them together. */
export function renderLifecycle(): string {
  return `# Lifecycle

What may happen to a task and to a project, and what then follows. This page is written from the tables of
\`src/rules/lifecycle.ts\` and \`src/rules/project-lifecycle.ts\`, by which every door asks: what is not listed here answers
\`Invalid transition: <STATE> + '<event>'\` with the code \`illegal-transition\`, and changes nothing. Why,
or the protocol's own sentence, follows behind a colon ([0030](decisions/0030-one-form-of-refusal.md)). When two clones take contradicting steps at once, the one whose push arrives first wins; the
other decides again on what is there by then, and is refused.

## A task

${diagram(TASK_TRANSITIONS, TASK_STATUSES.filter(isFinal))}

${table(
  ['from', 'event', 'to', 'by', 'if', 'then'],
  joined(TASK_TRANSITIONS, ({ event, to, role, guards, effects }) => [
    event,
    to,
    role,
    words(guards, TASK_GUARDS),
    words(effects, TASK_EFFECTS),
  ]),
)}

\`none\` is a task without a record. The steps of a worker may be taken by a leader for an agent that has no node of its own;
the history then says for whom. A state that ends a task does so for everything that a worker does.

${table(
  ['state', 'marker', 'ended'],
  TASK_STATUSES.map((status) => [status, `\`[${markerOf(markerFor(status))}]\``, isTerminalTask(status) ? 'yes' : '']),
)}

- **Finishing in one call** takes the missing steps one by one, each as it is legal, in one commit: the history is always a path
  of this table. A worker's word ends in \`submitted\` and answers \`awaiting acceptance\`; the leader's is accepted at once, unless
  the project is paused.
- **Acceptance.** \`auto\` decides by the status of the result alone: \`SUCCESS\` and \`SUCCESS_WITH_NOTES\` accept,
  \`REVISION_NEEDED\` revises, \`BLOCKED\` and \`INTERRUPTED\` hold. A leader's node does so as soon as it sees the result.
  Projects of the modes \`inbox\` and \`composite\` are \`auto\` unless they say otherwise, all others as the team's
  \`policies.acceptance\` says.
- **Handing over** leaves the old task as \`superseded\`, with \`superseded_by\`; the new one has \`supersedes\`, the same title, spec,
  kind and dependencies, and waits for its agent. What depended on the old one depends on the new one.

## A project

An active project has a phase; one without is approved. New work is given out only in an active project past its planning.

${diagram(PROJECT_TRANSITIONS, PROJECT_STATES.filter(isEnd))}

${table(
  ['from', 'event', 'to', 'if', 'then'],
  joined(PROJECT_TRANSITIONS, ({ event, to, guards, effects }) => [
    event,
    to === 'kept' ? 'the phase it had' : to,
    words(guards, PROJECT_GUARDS),
    words(effects, PROJECT_EFFECTS),
  ]),
)}

A project that was reopened does not go on by itself until something more is accepted. \`create\` is a task of several subtasks,
\`create_project\` a project of the protocol; \`complete_project\`, \`pause\` and \`resume\` are the protocol's actions.
`;
}

const isFinal = (status: (typeof TASK_STATUSES)[number]): boolean =>
  TASK_TRANSITIONS.every(({ from }) => from !== status);

const isEnd = (state: (typeof PROJECT_STATES)[number]): boolean =>
  (['completed', 'failed', 'rejected'] as const).some(
    (status) => projectState({ status }) === state && isTerminalProject(status),
  );

interface Edge {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** Steps between the same two states share an arrow; what leaves the state as it is stands in the table only. */
function diagram(steps: readonly Edge[], ends: readonly string[]): string {
  const arrows = new Map<string, string[]>();
  for (const { from, event, to } of steps) {
    if (from === to) continue;
    // A resumed project goes back to wherever it was.
    const arrow = `${from === 'none' ? '[*]' : from} --> ${to === 'kept' ? 'in_progress' : to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
  }
  const lines = [
    ...[...arrows].map(([arrow, events]) => `  ${arrow}: ${[...new Set(events)].join(', ')}`),
    ...ends.map((state) => `  ${state} --> [*]`),
  ];
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}

function words<Name extends string>(names: readonly Name[], sentences: Readonly<Record<Name, string>>): string {
  return names.map((name) => sentences[name]).join('; ');
}
