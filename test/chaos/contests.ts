import type { Envelope } from '../../src/app-types.ts';
import { check } from '../../src/chaos/check.ts';
import { createChance } from '../../src/chaos/chance.ts';
import type { Violation } from '../../src/chaos/facts.ts';
import { clearWeather } from '../../src/chaos/play.ts';
import { readStage } from '../../src/chaos/read.ts';
import type { Seat } from '../../src/chaos/seat.ts';
import { settle } from '../../src/chaos/seed.ts';
import { PROJECT, castOf, setUpStage } from '../../src/chaos/stage.ts';
import type { Stage } from '../../src/chaos/stage.ts';
import { BRANCHES } from './ground.ts';
import { servedGround } from './served-ground.ts';

const CALLERS = 64;
/** Tasks of one team, each fought over in every way; then it is checked, and a new team begins. */
const TASKS = 6;

type Call = (seat: Seat, caller: number) => Promise<Envelope>;

/** What callers fight over, and where they are. */
interface Contest {
  readonly name: string;
  readonly seats: readonly string[];
  readonly call: Call;
  /** How many calls change anything: one, one unless another contest was faster, or none that may be told twice. */
  readonly winners: 'one' | 'one at most' | 'none';
  /** Refusals that the protocol has for those who lose. */
  readonly losers: readonly string[];
}

export interface ContestResult {
  readonly rounds: number;
  readonly calls: number;
  readonly faults: number;
  readonly seconds: number;
  readonly violations: readonly string[];
}

interface Run {
  readonly stage: Stage;
  readonly chance: ReturnType<typeof createChance>;
  readonly violations: string[];
  faults: number;
  rounds: number;
}

/** 64 callers on several nodes want the same at once, in rounds, some of them with broken connections (quality.md R5). */
export async function runContests(
  seed: number,
  rounds: number,
  onRound: (done: number) => void,
): Promise<ContestResult> {
  const begun = performance.now();
  const cast = { ...castOf(2, TASKS), coLeaders: ['lee'] };
  await using stack = new AsyncDisposableStack();
  const ground = await servedGround(['lead', 'lee', 'ana', 'bo'], stack);
  const result = { rounds: 0, calls: 0, faults: 0 };
  const violations: string[] = [];
  for (let team = 0; result.rounds < rounds; team += 1) {
    const stage = await setUpStage({ ground, branches: BRANCHES, cast, mortal: [] });
    try {
      const run: Run = { stage, chance: createChance(seed + team), violations, faults: 0, rounds: 0 };
      for (const task of cast.tasks) await fightOver(run, task);
      await clearWeather(stage);
      await settle(stage);
      violations.push(...check(await readStage(stage), []).map((one) => told(seed + team, one)));
      result.rounds += run.rounds;
      result.faults += run.faults;
    } finally {
      await clearWeather(stage);
      await stage.close();
    }
    onRound(result.rounds);
  }
  return { ...result, calls: result.rounds * CALLERS, violations, seconds: (performance.now() - begun) / 1000 };
}

const told = (seed: number, { rule, message }: Violation): string => `team ${seed}: ${rule}: ${message}`;

/** Assigned, handed in and decided, each by 64 at once; every third task is cancelled while its result comes. */
async function fightOver(run: Run, task: string): Promise<void> {
  const { stage, chance } = run;
  await play(run, delegating(task));
  await settle(stage);
  await play(run, acknowledging(task));
  const late = chance.percent(33);
  if (late) await Promise.all([play(run, cancelling(task)), play(run, submitting(task))]);
  else await play(run, submitting(task));
  await settle(stage);
  const lead = stage.seats[0];
  const seen = await lead?.call('taskflow', 'check_task', { taskId: task });
  const { submission_id: submissionId } = (seen?.['task'] ?? {}) as { readonly submission_id?: string };
  await play(run, deciding(task, submissionId));
}

const delegating = (task: string): Contest => ({
  name: `delegating ${task}`,
  winners: 'one',
  seats: ['lead', 'lee'],
  losers: ['illegal-transition', 'sync-failed'],
  call: (seat, caller) =>
    seat.call('taskflow', 'delegate_task', {
      projectId: PROJECT,
      taskId: task,
      spec: `Do ${task} as ${caller} says.`,
      roomId: '!chaos:local',
      assignedTo: 'ana',
    }),
});

const acknowledging = (task: string): Contest => ({
  name: `acknowledging ${task}`,
  winners: 'none',
  seats: ['ana', 'bo'],
  losers: ['wrong-worker', 'sync-failed'],
  call: async (seat) => {
    const answer = await seat.call('taskflow', 'ack_task', { taskId: task });
    if (answer.ok && seat.name !== 'ana') return answer;
    // Whoever has it may say so again.
    return answer.ok ? { ...answer, reused: true } : answer;
  },
});

const submitting = (task: string): Contest => ({
  name: `submitting ${task}`,
  winners: 'one at most',
  seats: ['ana'],
  losers: ['stale-submission', 'illegal-transition', 'sync-failed'],
  call: (seat, caller) =>
    seat.call('taskflow', 'submit_task', { taskId: task, status: 'SUCCESS', summary: `Result of caller ${caller}.` }),
});

const cancelling = (task: string): Contest => ({
  name: `cancelling ${task}`,
  winners: 'one at most',
  seats: ['lead', 'lee'],
  losers: ['illegal-transition', 'stale-submission', 'invalid-argument', 'sync-failed'],
  call: (seat, caller) => seat.call('taskflow', 'cancel_task', { taskId: task, reason: `caller ${caller} says so` }),
});

/** One half accepts, the other asks for a revision. */
const deciding = (task: string, submissionId: string | undefined): Contest => ({
  name: `deciding on ${task}`,
  winners: 'one at most',
  seats: ['lead', 'lee'],
  losers: ['illegal-transition', 'stale-submission', 'invalid-argument', 'sync-failed'],
  call: (seat, caller) =>
    seat.call('projectflow', 'accept_task_result', {
      projectId: PROJECT,
      taskId: task,
      accepted: caller % 2 === 0,
      ...(submissionId === undefined ? {} : { submissionId }),
    }),
});

/** Plays one contest, some of them in a storm around one of the nodes. */
async function play(run: Run, contest: Contest): Promise<void> {
  const { stage, chance, violations } = run;
  run.rounds += 1;
  const seats = stage.seats.filter(({ name }) => contest.seats.includes(name));
  const seatOf = (caller: number): Seat => seats[caller % seats.length] ?? chance.pick(seats);
  const stormy = chance.percent(25) ? chance.pick(seats).name : undefined;
  if (stormy !== undefined) {
    run.faults += 1;
    await stage.ground.weather?.bring(chance.pick(['cut', 'down'] as const), stormy);
  }
  const callers = Array.from({ length: CALLERS }, (_, caller) => caller);
  const answers = await Promise.all(callers.map((caller) => contest.call(seatOf(caller), caller)));
  await clearWeather(stage);
  violations.push(...judge(contest, answers, stormy !== undefined).map((one) => `${contest.name}: ${one}`));
  // A storm can leave nobody with an answer: then one caller tries again in quiet weather.
  if (stormy !== undefined) await contest.call(seatOf(0), 0);
}

/** At most one call changes anything, in quiet weather and where nobody won before exactly one; the others are told why. */
function judge({ winners: wanted, losers }: Contest, answers: readonly Envelope[], stormy: boolean): readonly string[] {
  const winners = answers.filter((answer) => answer.ok && !isRepetition(answer));
  const refused = answers.filter(({ ok, code = '' }) => !ok && !losers.includes(code));
  const [first] = answers;
  return [
    ...(winners.length > (wanted === 'none' ? 0 : 1) ? [`${winners.length} callers won`] : []),
    ...(winners.length === 0 && wanted === 'one' && !stormy ? [`nobody won: ${first?.error ?? 'no reason'}`] : []),
    ...refused.map(({ code, error }) => `${code ?? 'no code'}: ${error ?? ''}`),
  ];
}

function isRepetition(answer: Envelope): boolean {
  const { reused } = (answer['notification'] ?? {}) as { readonly reused?: boolean };
  return answer['reused'] === true || reused === true;
}
