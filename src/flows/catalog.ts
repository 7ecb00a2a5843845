import { listAgents, showAgent } from './agent-flow/look.ts';
import { registerAgent } from './agent-flow/register.ts';
import { setCapabilities } from './agent-flow/capabilities.ts';
import { selectFor } from './agent-flow/select.ts';
import { setAgentStatus } from './agent-flow/status.ts';
import { acceptTaskResult } from './project-flow/accept.ts';
import { checkActiveTasks } from './project-flow/active.ts';
import { archiveProject } from './project-flow/archive-project.ts';
import { createComposite } from './project-flow/composite.ts';
import { acceptAutomatically, advanceProject } from './project-flow/automatic.ts';
import { createProject } from './project-flow/create.ts';
import { completeProject, confirmCompleted, pauseProject, resumeProject } from './project-flow/lifecycle.ts';
import { recordLoopIteration } from './project-flow/loop.ts';
import { planDag, planLoop } from './project-flow/plan.ts';
import { createQuickProject } from './project-flow/quick.ts';
import { readyDagNodes, readyIterationNodes } from './project-flow/ready.ts';
import { repairState } from './project-flow/repair.ts';
import { markRequesterReportSent, reportProject } from './project-flow/report.ts';
import { resolveProject } from './project-flow/resolve.ts';
import { transitionProject } from './project-flow/transition.ts';
import { archiveRoom } from './room-flow/archive.ts';
import { createTaskRoom } from './room-flow/create.ts';
import { describeRoom, listRooms } from './room-flow/look.ts';
import { acknowledge } from './task-flow/acknowledge.ts';
import { progress } from './task-flow/advance.ts';
import { answerAttention } from './task-flow/answer.ts';
import { assign } from './task-flow/assign.ts';
import { confirmAttention, requestAttention } from './task-flow/attention.ts';
import { cancel } from './task-flow/cancel.ts';
import { check } from './task-flow/check.ts';
import { confirmAssignment } from './task-flow/confirm-assignment.ts';
import { confirmCompletion } from './task-flow/confirm-completion.ts';
import { createTask } from './task-flow/create.ts';
import { delegate } from './task-flow/delegate.ts';
import { dispatch } from './task-flow/dispatch.ts';
import { finish } from './task-flow/finish.ts';
import { block, fail, unblock } from './task-flow/halt.ts';
import { handOver } from './task-flow/hand-over.ts';
import { hold } from './task-flow/hold.ts';
import { nextSteps } from './task-flow/next-steps.ts';
import { reportProgress } from './task-flow/progress.ts';
import { recordSubmission } from './task-flow/record-submission.ts';
import { submit } from './task-flow/submit.ts';
import { takeBack } from './task-flow/take-back.ts';
import { teamSettings } from './team-flow/settings.ts';
import { setUpTeam } from './team-flow/setup.ts';
import { blockStuckTask } from './time-flow/block.ts';
import { raiseLateness } from './time-flow/raise.ts';
import type { Operation } from './types.ts';
import { autoDispatch } from './work-flow/auto-dispatch.ts';
import { archiveWork } from './work-flow/archive.ts';
import { checkWork } from './work-flow/check.ts';
import { listWork } from './work-flow/list.ts';
import { rebuildIndex } from './work-flow/rebuild-index.ts';
import { showWork } from './work-flow/show.ts';
import { nodeBoard } from './workspace-flow/board.ts';
import { filesList, filesPull, filesPush, filesStat } from './workspace-flow/files.ts';
import { nodeHealth, nodeProblems, nodeSyncStatus } from './workspace-flow/health.ts';
import { nodeLog } from './workspace-flow/log.ts';
import { nodeNeeds } from './workspace-flow/needs.ts';
import { messageList, messageSend, nodeInbox } from './workspace-flow/messages.ts';
import { nodeRooms } from './workspace-flow/node-rooms.ts';
import { recordRefusal } from './workspace-flow/record-refusal.ts';

/** Every use case, by name. What a door offers, and what the docs list, is read from here. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  [
    createProject,
    createQuickProject,
    createComposite,
    planDag,
    readyDagNodes,
    planLoop,
    readyIterationNodes,
    recordLoopIteration,
    pauseProject,
    resumeProject,
    completeProject,
    confirmCompleted,
    transitionProject,
    acceptAutomatically,
    advanceProject,
    resolveProject,
    acceptTaskResult,
    markRequesterReportSent,
    checkActiveTasks,
    reportProject,
    repairState,
    archiveProject,
    createTask,
    dispatch,
    delegate,
    confirmAssignment,
    check,
    acknowledge,
    submit,
    recordSubmission,
    confirmCompletion,
    cancel,
    assign,
    progress,
    finish,
    block,
    unblock,
    fail,
    hold,
    nextSteps,
    handOver,
    takeBack,
    reportProgress,
    requestAttention,
    answerAttention,
    confirmAttention,
    recordRefusal,
    raiseLateness,
    blockStuckTask,
    listWork,
    showWork,
    autoDispatch,
    checkWork,
    archiveWork,
    rebuildIndex,
    filesPull,
    filesPush,
    filesStat,
    filesList,
    createTaskRoom,
    describeRoom,
    listRooms,
    archiveRoom,
    registerAgent,
    listAgents,
    showAgent,
    setAgentStatus,
    setCapabilities,
    selectFor,
    setUpTeam,
    teamSettings,
    messageSend,
    messageList,
    nodeHealth,
    nodeSyncStatus,
    nodeBoard,
    nodeInbox,
    nodeLog,
    nodeNeeds,
    nodeProblems,
    nodeRooms,
  ].map((operation) => [operation.name, operation as unknown as Operation]),
);
