import type { PayloadRules } from './payload.ts';

/** One action of one tool: which operation it names, and how its payload is written. */
export interface ActionRow {
  readonly operation: string;
  readonly rules?: PayloadRules;
}

const reason = { bare: ['reason'], aliases: { reason: ['cancelReason'] } };
const file = { bare: ['path', 'exclude'], text: 'path' };
const handOver: ActionRow = { operation: 'task.hand_over', rules: { bare: ['reason'] } };
const takeBack: ActionRow = { operation: 'task.take_back' };
/** Whoever sent the message that started the project is its requester (protocol.md §9.2, §14.1). */
const origin = { aliases: { requester: ['sender', 'senderId', 'senderUserId', 'sourceUserId'] } };
const room = { aliases: { roomId: ['room', 'target'] } };

/**
 * The protocol's tools and actions in the order in which they are listed (protocol.md §10). `cancel_task` stands under
 * both tools, since upstream has had it under either; a hand-over is a step of the task engine, and the Leader's agent takes it too. `agent`, `engine`, `team` and `node` are Baton's own, for the CLI and the
 * dashboard.
 */
export const TOOLS: Readonly<Record<string, Readonly<Record<string, ActionRow>>>> = {
  health: { health: { operation: 'node.health' } },
  message: {
    send: {
      operation: 'message.send',
      rules: {
        bare: ['message'],
        aliases: { target: ['roomId', 'room'], message: ['text', 'body'] },
      },
    },
    list: { operation: 'message.list', rules: room },
  },
  roomflow: {
    create_task_room: { operation: 'room.create' },
    describe_room: { operation: 'room.describe', rules: room },
    list_rooms: { operation: 'room.list' },
    archive_room: { operation: 'room.archive', rules: room },
  },
  filesync: {
    pull: { operation: 'files.pull', rules: file },
    push: { operation: 'files.push', rules: file },
    stat: { operation: 'files.stat', rules: file },
    list: { operation: 'files.list', rules: file },
  },
  projectflow: {
    create_project: { operation: 'project.create', rules: origin },
    create_quick_project: { operation: 'project.create_quick', rules: origin },
    plan_dag: { operation: 'project.plan_dag' },
    ready_nodes: { operation: 'project.ready_nodes' },
    plan_loop: { operation: 'project.plan_loop' },
    ready_loop_nodes: { operation: 'project.ready_loop_nodes' },
    record_loop_iteration: { operation: 'project.record_loop_iteration' },
    pause_project: { operation: 'project.pause' },
    resume_project: { operation: 'project.resume' },
    complete_project: { operation: 'project.complete' },
    resolve_project: { operation: 'project.resolve' },
    accept_task_result: { operation: 'project.accept_task_result' },
    cancel_task: { operation: 'task.cancel', rules: reason },
    mark_requester_report_sent: { operation: 'project.mark_requester_report_sent' },
    check_active_tasks: { operation: 'project.check_active_tasks' },
  },
  taskflow: {
    delegate_task: { operation: 'task.delegate' },
    check_task: { operation: 'task.check' },
    ack_task: { operation: 'task.ack' },
    submit_task: { operation: 'task.submit' },
    cancel_task: { operation: 'task.cancel', rules: reason },
    hand_over_task: handOver,
    take_back_task: takeBack,
    report_progress: { operation: 'task.report_progress', rules: { bare: ['note'] } },
    request_attention: { operation: 'task.request_attention' },
    answer_attention: { operation: 'task.answer_attention' },
  },
  agent: {
    register: { operation: 'agent.register' },
    list: { operation: 'agent.list' },
    show: { operation: 'agent.show' },
    set_status: { operation: 'agent.set_status' },
    capabilities: { operation: 'agent.capabilities' },
    select: { operation: 'agent.select' },
  },
  engine: {
    create: { operation: 'project.create_composite' },
    create_task: { operation: 'task.create' },
    dispatch_task: { operation: 'task.dispatch' },
    auto_dispatch: { operation: 'work.auto_dispatch' },
    transition_project: { operation: 'project.transition' },
    advance_project: { operation: 'project.advance' },
    assign_task: { operation: 'task.assign' },
    progress_task: { operation: 'task.progress' },
    finish_task: { operation: 'task.finish' },
    block_task: { operation: 'task.block', rules: { bare: ['reason'] } },
    unblock_task: { operation: 'task.unblock', rules: { bare: ['reason'] } },
    fail_task: { operation: 'task.fail', rules: { bare: ['reason'] } },
    hold_task: { operation: 'task.hold', rules: { bare: ['reason'] } },
    hand_over_task: handOver,
    take_back_task: takeBack,
    next_steps: { operation: 'task.next_steps' },
    list: { operation: 'work.list' },
    show: { operation: 'work.show' },
    check: { operation: 'work.check' },
    archive: { operation: 'work.archive' },
    rebuild_index: { operation: 'work.rebuild_index' },
  },
  team: { setup: { operation: 'team.setup' }, settings: { operation: 'team.settings' } },
  node: {
    status: { operation: 'node.sync_status' },
    board: { operation: 'node.board' },
    inbox: { operation: 'node.inbox', rules: room },
    log: { operation: 'node.log' },
    needs: { operation: 'node.needs' },
    problems: { operation: 'node.problems' },
    rooms: { operation: 'node.rooms' },
  },
};

/** What a tool is for, in one sentence. */
export const TOOL_SUMMARIES: Readonly<Record<string, string>> = {
  health: 'Whether this node serves and is in step with the remote.',
  message: 'Messages to and from rooms.',
  roomflow: 'Rooms: list them, make one for a project, look at one, leave one.',
  filesync: 'Shared files: fetch, publish, look up.',
  projectflow: 'Projects and their plans: create, plan, ready nodes, accept, pause, complete.',
  taskflow: 'Tasks: delegate, acknowledge, submit, check, cancel.',
  agent: 'The roster: who is of the team, what they can do, and whom a task would go to.',
  engine: 'The task engine: tasks of several subtasks, tasks that need no project, and the steps of both.',
  team: "The team's own rooms and rules.",
  node: 'What this node sees: board, inbox, histories, sync status, problems, needs, rooms.',
};
