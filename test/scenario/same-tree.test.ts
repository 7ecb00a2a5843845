import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, cliWith } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startAgent } from '../support/mcp.ts';
import type { Answer } from '../support/mcp.ts';
import { makeTeam, readTree } from '../support/team.ts';
import type { Team } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';
import { playDiamond } from './story.ts';
import type { Driver } from './story.ts';

/** Settles what is still under way in the Leader's clone, then reads the tree. */
async function settledTree(team: Team): Promise<Record<string, unknown>> {
  await eventually(async () => {
    await cli(team.lead, 'sync', 'now');
    const meta = JSON.parse(readFileSync(join(team.lead, 'shared/projects/diamond/meta.json'), 'utf8')) as {
      status: string;
      requester_report?: { pending: boolean };
    };
    return (meta.status === 'completed' && meta.requester_report?.pending === false) || undefined;
  }, 'the project is completed and reported');
  return readTree(team.lead);
}

async function byMcp(): Promise<Record<string, unknown>> {
  const team = await makeTeam();
  const agents = { lead: await startAgent(team.lead), ana: await startAgent(team.ana), bo: await startAgent(team.bo) };
  await playDiamond({
    workspaces: team,
    leader: (tool, action, payload) => agents.lead.call(tool, action, payload),
    worker: (name, tool, action, payload) => agents[name].call(tool, action, payload),
  });
  await agents.lead.close();
  return settledTree(team);
}

async function byCommandLine(): Promise<Record<string, unknown>> {
  const team = await makeTeam();
  const run = async (cwd: string, tool: string, action: string, payload: object = {}): Promise<Answer> => {
    const { stdout } = await cliWith({ cwd, input: JSON.stringify(payload) }, tool, action, '--payload', '-', '--json');
    return JSON.parse(stdout) as Answer;
  };
  const driver: Driver = {
    workspaces: team,
    leader: (tool, action, payload) => run(team.lead, tool, action, payload),
    worker: (name, tool, action, payload) => run(team[name], tool, action, payload),
  };
  await playDiamond(driver);
  return settledTree(team);
}

/** Text editors and plain git only; Baton runs nowhere but as the Leader's `baton sync now`. */
async function byHand(): Promise<Record<string, unknown>> {
  const team = await makeTeam();
  const time = '2026-11-20T12:00:00Z';
  const at = (clone: string, path: string): string => join(clone, 'shared', path);
  const write = (clone: string, path: string, text: string): void => {
    mkdirSync(join(at(clone, path), '..'), { recursive: true });
    writeFileSync(at(clone, path), text);
  };
  const publish = (clone: string, branch: string, message: string): void => {
    git(clone, 'add', '-A', 'shared');
    git(clone, 'commit', '--quiet', '-m', message);
    git(clone, 'push', '--quiet', 'origin', `HEAD:${branch}`);
  };
  const mark = (id: string, marker: string): void => {
    const text = readFileSync(at(team.lead, 'projects/diamond/plan.md'), 'utf8');
    const marked = text.replace(new RegExp(String.raw`- \[.\] ${id} `, 'u'), `- [${marker}] ${id} `);
    write(team.lead, 'projects/diamond/plan.md', marked);
  };
  const sync = async (): Promise<void> => {
    const { code, stderr } = await cli(team.lead, 'sync', 'now');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  };

  const nodes = [
    {
      id: 'diamond-01',
      title: 'Collect figures (EU)',
      worker: 'ana',
      deps: [],
      summary: 'All figures collected.',
      file: ['figures.csv', 'a,b\n1,2\n'],
    },
    {
      id: 'diamond-02',
      title: 'Left half',
      worker: 'bo',
      deps: ['diamond-01'],
      summary: 'Left done.',
      file: ['left.md', 'left\n'],
    },
    {
      id: 'diamond-03',
      title: 'Right half',
      worker: 'ana',
      deps: ['diamond-01'],
      summary: 'Right done.',
      file: ['right.md', 'right\n'],
    },
    {
      id: 'diamond-04',
      title: 'Join',
      worker: 'bo',
      deps: ['diamond-02', 'diamond-03'],
      summary: 'Joined.',
      file: ['whole.md', 'left\nright\n'],
    },
  ] as const;

  write(
    team.lead,
    'projects/diamond/meta.json',
    `${JSON.stringify({ project_id: 'diamond', title: 'A diamond', status: 'active', source: 'team-admin', created_at: time }, null, 2)}\n`,
  );
  const lines = nodes.map(({ id, title, worker, deps }) => {
    const depends = deps.length === 0 ? '' : `, depends: ${deps.join(', ')}`;
    return `- [ ] ${id} — ${title} (assigned: ${worker}${depends})`;
  });
  const head = `# Team Project: A diamond\n\n**ID**: diamond\n**Created**: ${time}\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n`;
  write(team.lead, 'projects/diamond/plan.md', `${head}${lines.join('\n')}\n`);
  publish(team.lead, 'main', 'plan a diamond');

  for (const { id, title, worker, deps, summary, file } of nodes) {
    const [name, text] = file;
    // The Leader delegates: marker, record and spec.
    mark(id, '~');
    const meta = {
      task_id: id,
      project_id: 'diamond',
      task_title: title,
      assigned_to: worker,
      room_id: 'room:!team:local',
      status: 'assigned',
      depends_on: deps,
      assigned_at: time,
    };
    write(team.lead, `tasks/${id}/meta.json`, `${JSON.stringify(meta, null, 2)}\n`);
    write(team.lead, `tasks/${id}/spec.md`, `# Spec of ${id}\n\nDo it well.\n`);
    publish(team.lead, 'main', `delegate ${id}`);
    // The Worker works in its clone and pushes its lane.
    const clone = team[worker];
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'merge', '--quiet', '--no-edit', 'origin/main');
    const path = `shared/tasks/${id}/workspace/${name}`;
    write(clone, `tasks/${id}/workspace/${name}`, text);
    write(clone, `tasks/${id}/result.md`, `STATUS: SUCCESS\nSUMMARY: ${summary}\n\nDELIVERABLES:\n- ${path}\n`);
    publish(clone, `lanes/${worker}`, `work on ${id}`);
    // The Leader integrates, reads, accepts.
    await sync();
    expect(readFileSync(at(team.lead, `tasks/${id}/result.md`), 'utf8')).toContain(summary);
    mark(id, 'x');
    git(team.lead, 'add', '-A', 'shared');
    git(team.lead, 'commit', '--quiet', '-m', `accept ${id}`);
    await sync();
  }
  const meta = JSON.parse(readFileSync(at(team.lead, 'projects/diamond/meta.json'), 'utf8')) as Record<string, unknown>;
  write(team.lead, 'projects/diamond/meta.json', `${JSON.stringify({ ...meta, status: 'completed' }, null, 2)}\n`);
  return settledTree(team);
}

test(
  'the same story by MCP, by the command line, and by hand with plain git ends on the same tree',
  { timeout: 300_000 },
  async () => {
    const mcp = await byMcp();
    const commandLine = await byCommandLine();
    const hand = await byHand();
    expect(Object.keys(commandLine)).toEqual(Object.keys(mcp));
    expect(commandLine).toEqual(mcp);
    expect(Object.keys(hand)).toEqual(Object.keys(mcp));
    expect(withoutRoute(hand)).toEqual(withoutRoute(mcp));
  },
);

/** What only a door can know: whom a requester was told by, and fields that a person need not write. */
const BY_DOORS = new Set(['assigned_to_mxid', 'spec_path', 'plan_type', 'requester_report', 'updated_by']);

function withoutRoute(tree: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, value]) => {
      if (typeof value !== 'object' || value === null) return [path, value];
      return [path, Object.fromEntries(Object.entries(value).filter(([key]) => !BY_DOORS.has(key)))];
    }),
  );
}
