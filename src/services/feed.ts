import type { BatonEvents, EventBus } from '../events.ts';
import type { Clock, WorkTree } from '../ports.ts';
import { toldEvent } from '../protocol/happening.ts';
import type { ToldEvent } from '../protocol/happening.ts';
import { parseEventLines } from '../protocol/records/event.ts';
import { byLog, isEventLog } from '../protocol/event-logs.ts';
import { eventLogs } from '../workspace/event-log.ts';
import type { Secrets } from '../protocol/secrets/known.ts';

/** How far the event logs have been told: bytes, by path. */
export type Marks = Readonly<Record<string, number>>;

/** One thing that happened, as those who follow a node hear of it. */
export interface Happening extends Partial<ToldEvent> {
  readonly at: string;
  /**
   * `event` stands in a log, whoever wrote it; the others are known to this node alone. After a `gap` something is
   * missing, and its note says what.
   */
  readonly kind: 'event' | 'refused' | 'finding' | 'cleared' | 'message' | 'unsent' | 'problem' | 'gap';
  /** Dotted: the event's type, the operation that was refused, the finding's key. */
  readonly what: string;
  readonly remedy?: string;
  /** Code of a refusal. */
  readonly code?: string;
  /** Up to where its log has been told with this. */
  readonly mark?: { readonly log: string; readonly end: number };
}

export interface Following {
  /** How far the logs have been told by now. */
  readonly marks: Marks;
  stop(): void;
}

export interface Feed {
  /** Tells what happens from now on; what the logs gained since `marks` is told before it returns. */
  follow(marks: Marks | undefined, tell: (happening: Happening) => void): Following;
}

export interface FeedDependencies {
  readonly events: EventBus;
  readonly workTree: WorkTree;
  readonly clock: Clock;
  readonly secrets: Secrets;
}

/** Bytes of one log, all its parts together, that are told at once; of what is before them only a gap is told. */
const MOST = 512 * 1024;

/** What happens in a workspace as one stream: the events of all logs as they grow, and what only this node knows. */
export function createFeed({ events, workTree, clock, secrets: { redact } }: FeedDependencies): Feed {
  const now = (): { readonly at: string } => ({ at: clock.now() });
  return {
    follow(since, tell) {
      const marks: Record<string, number> = { ...since };
      const logs = eventLogs(workTree.view());
      if (since === undefined) for (const log of logs) marks[log] = sizeOf(workTree, log);
      else catchUpAll(logs);

      function catchUpAll(changed: readonly string[]): void {
        for (const parts of byLog(changed)) {
          passBy(parts);
          for (const log of parts) catchUp(log);
        }
      }

      /** Of what the parts of one log gained together, the last is told, and what is before it passed by. */
      function passBy(parts: readonly string[]): void {
        let gained = 0;
        let passed: string | undefined;
        for (const log of parts.toReversed()) {
          const size = sizeOf(workTree, log);
          const more = Math.max(0, size - (marks[log] ?? 0));
          if (gained >= MOST && more > 0) [passed, marks[log]] = [log, size];
          gained += more;
        }
        if (passed !== undefined) tell({ ...now(), kind: 'gap', what: 'log', note: whyGap(passed, false) });
      }

      function catchUp(log: string): void {
        const size = sizeOf(workTree, log);
        const before = marks[log] ?? 0;
        const from = size < before ? size : Math.max(before, size - MOST);
        if (from !== before) tell({ ...now(), kind: 'gap', what: 'log', note: whyGap(log, size < before) });
        const lines = linesAfter(workTree, log, from);
        marks[log] = from;
        for (const { text, end } of lines) {
          marks[log] = end;
          for (const event of parseEventLines(text, log).events)
            tell({ ...toldEvent(event), kind: 'event', mark: { log, end } });
        }
      }

      const stops = [
        events.on('sync:changed', ({ changed }) => {
          catchUpAll(changed.filter(isEventLog));
        }),
        events.on('operation:refused', ({ operation, actor, code, message, subject }) =>
          tell({ ...now(), kind: 'refused', what: operation, actor, ...subject, code, note: message }),
        ),
        events.on('finding:raised', ({ key, message, remedy, subject }) =>
          tell({ ...now(), kind: 'finding', what: key, ...subject, note: message, remedy }),
        ),
        events.on('finding:cleared', ({ key }) => tell({ ...now(), kind: 'cleared', what: key })),
        events.on('message:sent', ({ txn, room }) =>
          tell({ ...now(), kind: 'message', what: txn, note: `reached ${room}` }),
        ),
        events.on('message:failed', ({ txn, room, error }) =>
          tell({ ...now(), kind: 'unsent', what: txn, note: redact(`not in ${room} yet: ${error}`) }),
        ),
        events.on('node:problem', (problem) => tell({ ...now(), ...problemOf(problem, redact) })),
      ];
      return {
        marks,
        stop: () => {
          for (const stop of stops) stop();
        },
      };
    },
  };
}

const sizeOf = (workTree: WorkTree, log: string): number => workTree.tail(log, Number.POSITIVE_INFINITY)?.size ?? 0;

function whyGap(log: string, shortened: boolean): string {
  return shortened
    ? `${log} is shorter than it was: somebody changed it by hand`
    : `${log} gained more than can be told at once; \`baton log\` has all of a task or project`;
}

/** The whole lines after a byte of a log, each with the byte after it. A line without its end is not written yet. */
function linesAfter(
  workTree: WorkTree,
  log: string,
  from: number,
): readonly { readonly text: string; readonly end: number }[] {
  const bytes = Buffer.from(workTree.tail(log, from)?.bytes ?? []);
  const lines: { text: string; end: number }[] = [];
  for (let start = 0; ;) {
    const end = bytes.indexOf(0x0a, start) + 1;
    if (end === 0) return lines;
    lines.push({ text: bytes.toString('utf8', start, end), end: from + end });
    start = end;
  }
}

function problemOf(
  { what, error }: BatonEvents['node:problem'],
  redact: (text: string) => string,
): Pick<Happening, 'kind' | 'what' | 'note'> {
  return { kind: 'problem', what, note: redact(error instanceof Error ? error.message : String(error)) };
}
