import type { Command } from 'commander';
import type { Session } from './session.ts';

/** One word of the command line. Its body is loaded only when it is the one called, so that starting stays fast. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  /** Adds arguments, flags and actions to the verb's command. */
  readonly load: () => Promise<(command: Command, session: Session) => void>;
}

const WORKSPACE = 'Workspace:';
const WORK = 'Work:';
const ENGINE = 'Task engine:';
const PROTOCOL = 'Under their protocol names:';

export const VERBS: readonly Verb[] = [
  {
    name: 'init',
    summary: 'make a workspace, or join a team by cloning it',
    group: WORKSPACE,
    load: async () => (await import('./verb-init.ts')).defineInit,
  },
  {
    name: 'up',
    summary: 'run the node: watch, sync, reconcile',
    group: WORKSPACE,
    load: async () => (await import('./verb-up.ts')).defineUp,
  },
  {
    name: 'demo',
    summary: 'watch a Leader and two Workers do a whole project',
    group: WORKSPACE,
    load: async () => (await import('./verb-demo.ts')).defineDemo,
  },
  {
    name: 'chaos',
    summary: 'try on a remote of your own that nothing is lost, whatever fails',
    group: WORKSPACE,
    load: async () => (await import('./verb-chaos.ts')).defineChaos,
  },
  {
    name: 'mcp',
    summary: 'serve this workspace to an agent over stdio',
    group: WORKSPACE,
    load: async () => (await import('./verb-mcp.ts')).defineMcp,
  },
  {
    name: 'sync',
    summary: 'how this clone and the remote stand; sync them now',
    group: WORKSPACE,
    load: async () => (await import('./verb-look.ts')).defineSync,
  },
  {
    name: 'doctor',
    summary: 'look for what is wrong, and say what mends it',
    group: WORKSPACE,
    load: async () => (await import('./verb-doctor.ts')).defineDoctor,
  },
  {
    name: 'team',
    summary: "make the team's rooms on the homeserver; show the team's rules",
    group: WORKSPACE,
    load: async () => (await import('./verb-team.ts')).defineTeam,
  },
  {
    name: 'agent',
    summary: 'the roster: register agents, list them, show one',
    group: WORKSPACE,
    load: async () => (await import('./verb-agent.ts')).defineAgent,
  },
  {
    name: 'matrix',
    summary: 'log in at the homeserver by password, and out again',
    group: WORKSPACE,
    load: async () => (await import('./verb-matrix.ts')).defineMatrix,
  },
  {
    name: 'project',
    summary: 'create, plan, accept, pause, complete projects',
    group: WORK,
    load: async () => (await import('./verb-friendly.ts')).defineProject,
  },
  {
    name: 'task',
    summary: 'delegate, acknowledge, submit, check tasks',
    group: WORK,
    load: async () => (await import('./verb-friendly.ts')).defineTask,
  },
  {
    name: 'board',
    summary: 'draw the projects: DAG in layers, Loop with its iterations',
    group: WORK,
    load: async () => (await import('./verb-look.ts')).defineBoard,
  },
  {
    name: 'watch',
    summary: 'show what happens, as it happens',
    group: WORK,
    load: async () => (await import('./verb-watch.ts')).defineWatch,
  },
  {
    name: 'log',
    summary: 'tell the history of a task or project, with commits',
    group: WORK,
    load: async () => (await import('./verb-log.ts')).defineLog,
  },
  {
    name: 'inbox',
    summary: 'show the messages of the rooms',
    group: WORK,
    load: async () => (await import('./verb-look.ts')).defineInbox,
  },
  {
    name: 'create',
    summary: 'make a task of several subtasks',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineCreate,
  },
  {
    name: 'status',
    summary: 'show the tasks, or one with its subtasks',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineStatus,
  },
  {
    name: 'transition',
    summary: 'take one step in the life of a task',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineTransition,
  },
  {
    name: 'dispatch',
    summary: 'plan a subtask and give it to an agent',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineDispatch,
  },
  {
    name: 'auto-dispatch',
    summary: 'give what is ready to agents that are free',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineAutoDispatch,
  },
  {
    name: 'subtask',
    summary: 'say what happened to a subtask',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineSubtask,
  },
  {
    name: 'check',
    summary: 'count a heartbeat; tell what is failed, stuck, late or waiting',
    group: ENGINE,
    load: async () => (await import('./verb-check.ts')).defineCheck,
  },
  {
    name: 'notify',
    summary: 'print a digest, or what is new of a task, for a chat',
    group: ENGINE,
    load: async () => (await import('./verb-notify.ts')).defineNotify,
  },
  {
    name: 'archive',
    summary: 'move a task that has ended out of the way',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineArchive,
  },
  {
    name: 'rebuild-index',
    summary: 'make the index of all work anew',
    group: ENGINE,
    load: async () => (await import('./verb-engine.ts')).defineRebuildIndex,
  },
  {
    name: 'merge-driver',
    summary: 'merge one file by the rules of Baton; git calls it',
    group: PROTOCOL,
    load: async () => (await import('./verb-merge-driver.ts')).defineMergeDriver,
  },
  ...['taskflow', 'projectflow', 'roomflow', 'filesync', 'message'].map((tool): Verb => ({
    name: tool,
    summary: `the actions of ${tool}, as agents call them`,
    group: PROTOCOL,
    load: async () => {
      const { defineTool } = await import('./verb-protocol.ts');
      return (command, session) => defineTool(tool, command, session);
    },
  })),
];
