import { INBOX, numberedId } from '../protocol/ids.ts';
import { agentPath, projectPaths, taskPaths } from '../protocol/paths.ts';
import { initialPlan } from '../protocol/plan/render.ts';
import { replaceDag } from '../protocol/plan/rewrite.ts';
import { newAgent, renderAgent } from '../protocol/records/agent.ts';
import { renderProjectMeta } from '../protocol/records/project.ts';
import { renderTaskMeta } from '../protocol/records/task.ts';
import type { AgentRecord, Priority, TaskMeta } from '../protocol/records/types.ts';
import { stampOf, parseTime } from '../protocol/timestamps.ts';
import { renderResult } from '../protocol/result/render.ts';

type SampleAgent = Pick<AgentRecord, 'name' | 'capabilities' | 'max_concurrent'> &
  Partial<Pick<AgentRecord, 'status' | 'reliability' | 'preferred_types' | 'fallback'>>;

/**
 * The agents of features.md S001-29 to -34 and S002-32. What `claude-code` prefers it can do as well; `dev` is no capability
 * of its own, since it would be found in `devcontainer` (§4, TASK-010).
 */
const AGENTS: Readonly<Record<string, SampleAgent>> = {
  'antigravity-main': {
    name: 'Antigravity Main',
    capabilities: ['infrastructure', 'testing', 'cicd', 'security'],
    max_concurrent: 3,
    reliability: 0.98,
    status: 'ACTIVE',
  },
  'agent-security-cleanup': {
    name: 'Security Cleanup',
    capabilities: ['security', 'credentials', 'audit'],
    max_concurrent: 1,
    reliability: 0.95,
  },
  'agent-vps-deploy': {
    name: 'VPS Deploy',
    capabilities: ['deployment', 'vps', 'nginx', 'pm2'],
    max_concurrent: 1,
    reliability: 0.9,
  },
  'agent-qr-feature': {
    name: 'QR Feature',
    capabilities: ['frontend', 'react', 'features'],
    max_concurrent: 2,
    reliability: 0.92,
  },
  'agent-n8n-integration': {
    name: 'n8n Integration',
    capabilities: ['n8n', 'workflows', 'automation'],
    max_concurrent: 1,
    reliability: 0.88,
  },
  'copilot-agent': {
    name: 'Copilot',
    capabilities: ['code-generation', 'documentation', 'review'],
    max_concurrent: 5,
    reliability: 0.94,
    status: 'ACTIVE',
  },
  'claude-code': {
    name: 'Claude Code',
    capabilities: ['refactor', 'debug', 'docs'],
    max_concurrent: 3,
    preferred_types: ['dev'],
  },
  eva: {
    name: 'Eva',
    capabilities: ['test', 'validate', 'system-ops', 'docs'],
    max_concurrent: 1,
    preferred_types: ['test', 'validate'],
    fallback: true,
  },
};

/** What stands in the plan for a task in one of these states. */
const MARKERS = { pending: 'pending', in_progress: 'delegated', completed: 'completed' } as const;

interface SampleTask {
  readonly title: string;
  readonly priority: Priority;
  readonly about: string;
  readonly status?: keyof typeof MARKERS;
  readonly agent?: string;
}

/** features.md S001-49, in the order of their ids. */
const TASKS: readonly SampleTask[] = [
  {
    title: 'Testing Infrastructure',
    priority: 'P1',
    about: 'Set up the tests and what runs them.',
    status: 'in_progress',
    agent: 'antigravity-main',
  },
  {
    title: 'Security Documentation',
    priority: 'P1',
    about: 'Write down how secrets are kept.',
    status: 'completed',
    agent: 'copilot-agent',
  },
  { title: 'License File', priority: 'P1', about: 'Add the license.', status: 'completed', agent: 'copilot-agent' },
  {
    title: 'Contributing Guidelines',
    priority: 'P1',
    about: 'Say how to contribute.',
    status: 'completed',
    agent: 'copilot-agent',
  },
  { title: 'GitHub Templates', priority: 'P2', about: 'Add templates for issues and pull requests.' },
  {
    title: 'CI/CD Pipeline',
    priority: 'P1',
    about: 'Build and test every push.',
    status: 'completed',
    agent: 'antigravity-main',
  },
  { title: 'QR Scanner Feature', priority: 'P2', about: 'Read codes with the camera.' },
  { title: 'n8n Integration', priority: 'P2', about: 'Start workflows from events.' },
  {
    title: 'Copilot Configuration',
    priority: 'P2',
    about: 'Tell the assistant the rules of the code.',
    status: 'completed',
    agent: 'copilot-agent',
  },
  { title: 'DevContainer Setup', priority: 'P3', about: 'Describe a container to develop in.' },
];

/** What an agent must be able to do for them (features.md S001-50): the team's own settings, changed like all others. */
export const SAMPLE_CAPABILITIES: Readonly<Record<string, string[]>> = {
  'TASK-001': ['testing', 'infrastructure'],
  'TASK-005': ['github', 'documentation'],
  'TASK-007': ['frontend', 'react', 'features'],
  'TASK-008': ['n8n', 'workflows', 'deployment'],
  'TASK-010': ['devcontainer', 'vscode', 'docker'],
};

/** The longer end of the two to four hours that the running one takes. */
const RUNNING_TAKES = 4 * 3_600_000;

/** Agents, and the inbox with ten tasks, one of which is half done. */
export function sampleFiles(now: string): readonly (readonly [string, string])[] {
  const title = 'Inbox';
  const paths = projectPaths(INBOX);
  const tasks = TASKS.map((task, index) => ({ task, meta: metaOf(task, numberedId(index + 1), now) }));
  const plan = replaceDag(
    initialPlan({ title, projectId: INBOX, createdAt: now }),
    tasks.map(({ task: { status = 'pending' }, meta }) => ({
      id: meta.task_id,
      title: meta.task_title,
      assignee: meta.assigned_to,
      dependsOn: [],
      status: MARKERS[status],
    })),
  );
  return [
    ...Object.entries(AGENTS).map(([id, more]) => [agentPath(id), agentFile(id, more)] as const),
    [
      paths.meta,
      renderProjectMeta({
        project_id: INBOX,
        title,
        status: 'active',
        created_at: now,
        mode: 'inbox',
        acceptance: 'auto',
      }),
    ],
    [paths.plan, plan],
    ...tasks.flatMap(({ task, meta }) => taskFiles(task, meta)),
  ];
}

function agentFile(id: string, more: SampleAgent): string {
  return renderAgent({ ...newAgent({ id, role: 'worker' }), ...more });
}

function metaOf({ title, priority, status = 'pending', agent = '' }: SampleTask, id: string, now: string): TaskMeta {
  const taken = { assigned_at: now, acknowledged_at: now };
  return {
    task_id: id,
    project_id: INBOX,
    task_title: title,
    assigned_to: agent,
    status,
    depends_on: [],
    priority,
    created_at: now,
    spec_path: taskPaths(id).spec,
    ...(status === 'in_progress'
      ? { ...taken, progress: 50, eta: stampOf((parseTime(now) ?? 0) + RUNNING_TAKES) }
      : {}),
    ...(status === 'completed'
      ? {
          ...taken,
          progress: 100,
          submitted_at: now,
          result_status: 'SUCCESS',
          result_path: taskPaths(id).result,
          summary: summaryOf(title),
          completed_at: now,
          accepted_by: 'auto',
        }
      : {}),
  };
}

function taskFiles({ title, about }: SampleTask, meta: TaskMeta): readonly (readonly [string, string])[] {
  const { meta: record, spec, result } = taskPaths(meta.task_id);
  const done = renderResult({ status: 'SUCCESS', summary: summaryOf(title), deliverables: [], notes: [] });
  return [
    [record, renderTaskMeta(meta)],
    [spec, `${about}\n`],
    ...(meta.status === 'completed' ? [[result, done] as const] : []),
  ];
}

const summaryOf = (title: string): string => `${title}: done`;
