import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Envelope } from '../app-types.ts';
import type { Fault, Weather } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { plainGit } from './plain-git.ts';
import { remoteGit } from './remote-git.ts';
import type { Seat } from './seat.ts';
import { PROJECT } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Step } from './steps.ts';

/** What a run counts. */
export interface Counts {
  steps: number;
  faults: number;
  kills: number;
}

export interface Play {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly counts: Counts;
  /** Whom each task was last given to, as far as anybody tried. */
  readonly owners: Map<string, string>;
}

/** Plays one step and notes what was answered. */
export async function playStep(play: Play, step: Step): Promise<void> {
  if (step.do === 'together') {
    await Promise.all(step.steps.map((one) => playStep(play, one)));
    return;
  }
  play.counts.steps += 1;
  switch (step.do) {
    case 'delegate':
      return delegate(play, step);
    case 'ack':
    case 'note':
    case 'submit':
      return workOn(play, step);
    case 'accept':
      return accept(play, step);
    case 'cancel':
      return cancel(play, step);
    case 'sync':
      play.ledger.note(await seatOf(play, step.seat).sync(), undefined);
      return;
    case 'kill':
    case 'restart':
      return restart(play, step);
    case 'fault':
      play.counts.faults += 1;
      return bring(play.stage, step.fault, step.seat);
    case 'heal':
      return clearWeather(play.stage, step.seat);
    case 'rename':
    case 'remark':
      return editByHand(play, step);
  }
}

function seatOf({ stage }: Play, name: string): Seat {
  const seat = stage.seats.find((one) => one.name === name);
  if (seat === undefined) throw new Error(`there is no seat ${name}`);
  return seat;
}

const leaderOf = (play: Play): Seat => seatOf(play, play.stage.cast.leader);

/** The Worker who has the task, or would be the first to get it. */
function workerOf(play: Play, task: string): Seat {
  const { workers, tasks, leader } = play.stage.cast;
  return seatOf(play, play.owners.get(task) ?? workers[tasks.indexOf(task) % workers.length] ?? leader);
}

async function delegate(play: Play, { task, to }: Extract<Step, { do: 'delegate' }>): Promise<void> {
  const payload = { projectId: PROJECT, taskId: task, spec: `Do ${task}.`, roomId: '!chaos:local', assignedTo: to };
  const answer = await leaderOf(play).call('taskflow', 'delegate_task', payload);
  if (answer.ok) play.owners.set(task, to);
  // The same assignment again is a retry: what stands already is not written a second time.
  const given = (answer['notification'] as { readonly reused?: boolean } | undefined)?.reused === true;
  play.ledger.note(answer, given ? undefined : { kind: 'delegated', task, to });
}

async function workOn(play: Play, step: Extract<Step, { do: 'ack' | 'note' | 'submit' }>): Promise<void> {
  const { task } = step;
  const seat = workerOf(play, task);
  const by = seat.name;
  if (step.do === 'ack') {
    const answer = await seat.call('taskflow', 'ack_task', { taskId: task });
    play.ledger.note(answer, { kind: 'started', task, by });
  } else if (step.do === 'note') {
    const answer = await seat.call('taskflow', 'report_progress', { taskId: task, note: step.text });
    play.ledger.note(answer, { kind: 'noted', task, by, text: step.text });
  } else {
    const summary = `Result ${play.counts.steps} of ${task} by ${by}.`;
    const answer = await seat.call('taskflow', 'submit_task', { taskId: task, status: 'SUCCESS', summary });
    play.ledger.note(answer, { kind: 'submitted', task, by, summary, submissionId: submissionOf(answer) });
  }
}

function submissionOf(answer: Envelope): string {
  const task = answer['task'] as { readonly submission_id?: string } | undefined;
  return task?.submission_id ?? '';
}

/** The Leader looks first, and decides on what was seen. */
async function accept(play: Play, { task, accepted }: Extract<Step, { do: 'accept' }>): Promise<void> {
  const leader = leaderOf(play);
  const seen = await leader.call('taskflow', 'check_task', { taskId: task });
  play.ledger.note(seen, undefined);
  const submissionId = submissionOf(seen);
  const payload = { projectId: PROJECT, taskId: task, accepted, ...(submissionId === '' ? {} : { submissionId }) };
  const answer = await leader.call('projectflow', 'accept_task_result', payload);
  play.ledger.note(answer, { kind: 'decided', task, to: accepted ? 'completed' : 'revision' });
}

async function cancel(play: Play, { task }: Extract<Step, { do: 'cancel' }>): Promise<void> {
  const leader = leaderOf(play);
  const submissionId = submissionOf(await leader.call('taskflow', 'check_task', { taskId: task }));
  const payload = { taskId: task, reason: 'no longer wanted', ...(submissionId === '' ? {} : { submissionId }) };
  play.ledger.note(await leader.call('taskflow', 'cancel_task', payload), { kind: 'cancelled', task });
}

async function restart(play: Play, step: Extract<Step, { do: 'kill' | 'restart' }>): Promise<void> {
  const seat = seatOf(play, step.seat);
  if (step.do === 'kill') {
    play.counts.kills += 1;
    await seat.kill();
  } else await seat.stop();
  await seat.start();
}

function weatherOf({ ground }: Stage, fault: Fault): Weather {
  return ground.shim.faults.includes(fault) ? ground.shim : (ground.weather ?? ground.shim);
}

async function bring(stage: Stage, fault: Fault, seat: string): Promise<void> {
  await clearWeather(stage, seat);
  await weatherOf(stage, fault).bring(fault, seat);
}

/** Ends the faults of that seat, or of all. */
export async function clearWeather({ ground }: Stage, seat?: string): Promise<void> {
  await ground.shim.clear(seat);
  await ground.weather?.clear(seat);
}

/** A person pulls main, edits the plan and pushes, as long as it takes; others may be faster a few times. */
async function editByHand(play: Play, step: Extract<Step, { do: 'rename' | 'remark' }>): Promise<void> {
  const { person, ground, branches } = play.stage;
  const git = (...words: readonly string[]): Promise<string> => plainGit(person, ground.env, ...words);
  const file = join(person, `shared/projects/${PROJECT}/plan.md`);
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await remoteGit(ground, person, 'fetch', '-q', 'origin', branches.branch);
    await git('reset', '-q', '--hard', 'FETCH_HEAD');
    const before = readFileSync(file, 'utf8');
    const after = editPlan(before, step);
    if (after === before) return;
    writeFileSync(file, after);
    await git('commit', '-q', '-a', '-m', step.do === 'rename' ? `Rename ${step.task}` : 'Remark');
    try {
      await git('push', '-q', 'origin', `HEAD:refs/heads/${branches.branch}`);
    } catch {
      continue;
    }
    // A later name goes over an earlier one; a remark stays.
    if (step.do === 'remark') play.ledger.acknowledged.push({ kind: 'written', text: step.text });
    return;
  }
}

function editPlan(text: string, step: Extract<Step, { do: 'rename' | 'remark' }>): string {
  if (step.do === 'remark') return text.replace(/^\*\*Plan Type\*\*/m, `${step.text}\n\n$&`);
  const line = new RegExp(`^(- \\[.\\] ${step.task} — )[^(\\n]*`, 'm');
  return text.replace(line, `$1${step.text} `);
}
