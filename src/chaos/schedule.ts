import { createChance } from './chance.ts';
import type { Chance } from './chance.ts';
import type { Fault } from './faults.ts';
import type { Step } from './steps.ts';

export interface Cast {
  readonly leader: string;
  /** Further Leaders' nodes, for callers that meet at two of them. */
  readonly coLeaders?: readonly string[];
  readonly workers: readonly string[];
  readonly tasks: readonly string[];
}

export interface ScheduleOptions {
  readonly cast: Cast;
  /** How many steps; those that happen at once count as one. */
  readonly steps: number;
  /** What may go wrong; none for a quiet run. */
  readonly faults: readonly Fault[];
  /** Seats that can be killed. */
  readonly mortal: readonly string[];
}

/** What a task's Leader and Worker do one after the other, when nothing comes between. */
const LIFE = ['delegate', 'ack', 'note', 'submit', 'sync', 'accept'] as const;

/** The schedule of a seed. Nothing but the seed and the options decides it. */
export function scheduleOf(seed: number, options: ScheduleOptions): readonly Step[] {
  const chance = createChance(seed);
  const stages = new Map(options.cast.tasks.map((task) => [task, 0]));
  const next = (): Step => stepOf(chance, options, stages);
  return Array.from({ length: options.steps }, () => {
    if (!chance.percent(20)) return next();
    const all = Array.from({ length: 2 + chance.int(3) }, next);
    const steps = all.filter(mayShare);
    const [only = all[0] ?? next()] = steps;
    return steps.length < 2 ? only : { do: 'together', steps };
  });
}

/** What changes the circumstances happens between steps and not during them. */
const mayShare = (step: Step): boolean => !['fault', 'heal', 'restart', 'together'].includes(step.do);

function stepOf(chance: Chance, { cast, faults, mortal }: ScheduleOptions, stages: Map<string, number>): Step {
  const seats = [cast.leader, ...cast.workers];
  const roll = chance.int(100);
  if (roll < 52) return lifeStep(chance, cast, stages);
  if (roll < 58) return { do: 'sync', seat: chance.pick(seats) };
  if (roll < 82 && faults.length > 0) return faultStep(chance, seats, faults);
  if (roll < 87 && mortal.length > 0) return { do: 'kill', seat: chance.pick(mortal) };
  if (roll < 90) return { do: 'restart', seat: chance.pick(seats) };
  return strayStep(chance, cast);
}

function lifeStep(chance: Chance, cast: Cast, stages: Map<string, number>): Step {
  const task = chance.pick(cast.tasks);
  const stage = stages.get(task) ?? 0;
  stages.set(task, stage + 1);
  const doing = LIFE[stage % LIFE.length] ?? 'sync';
  const home = cast.workers[cast.tasks.indexOf(task) % cast.workers.length] ?? cast.leader;
  switch (doing) {
    case 'delegate':
      return { do: 'delegate', task, to: chance.percent(80) ? home : chance.pick(cast.workers) };
    case 'note':
      return { do: 'note', task, text: `note ${stage} on ${task}` };
    case 'accept':
      return { do: 'accept', task, accepted: chance.percent(80) };
    case 'sync':
      return { do: 'sync', seat: cast.leader };
    case 'ack':
    case 'submit':
      return { do: doing, task };
  }
  return doing satisfies never;
}

/** One of three ends a fault, so that most runs get somewhere. */
function faultStep(chance: Chance, seats: readonly string[], faults: readonly Fault[]): Step {
  const seat = chance.pick(seats);
  return chance.percent(33) ? { do: 'heal', seat } : { do: 'fault', fault: chance.pick(faults), seat };
}

/** What comes at a moment that nobody planned: most of it is refused, and must be. */
function strayStep(chance: Chance, cast: Cast): Step {
  const task = chance.pick(cast.tasks);
  const mark = chance.int(1_000_000).toString(36);
  switch (chance.int(7)) {
    case 0:
      return { do: 'rename', task, text: `Renamed ${mark}` };
    case 1:
      return { do: 'remark', task, text: `remark ${mark}` };
    case 2:
      return { do: 'cancel', task };
    case 3:
      return { do: 'delegate', task, to: chance.pick(cast.workers) };
    case 4:
      return { do: 'submit', task };
    case 5:
      return { do: 'accept', task, accepted: chance.percent(50) };
    default:
      return { do: 'ack', task };
  }
}
