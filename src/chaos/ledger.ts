import type { Envelope } from '../app-types.ts';
import type { Acknowledged, Violation } from './facts.ts';

/** What was answered so far. */
export interface Ledger {
  readonly acknowledged: Acknowledged[];
  /** Answers that say nothing useful: a defect by themselves. */
  readonly troubles: Violation[];
  /** How often each code was answered; `ok` is one of them. */
  readonly answers: Map<string, number>;
  note(answer: Envelope, meant: Acknowledged | undefined): void;
}

export function createLedger(): Ledger {
  const acknowledged: Acknowledged[] = [];
  const troubles: Violation[] = [];
  const answers = new Map<string, number>();
  return {
    acknowledged,
    troubles,
    answers,
    note(answer, meant) {
      const code = answer.ok ? 'ok' : (answer.code ?? 'no code');
      answers.set(code, (answers.get(code) ?? 0) + 1);
      if (code === 'internal' || code === 'no code') {
        const message = `${answer.tool} ${answer.action} was answered with: ${answer.error ?? 'nothing'}`;
        troubles.push({ rule: 'clear-answer', message });
      }
      // A result that is kept here and published later is as good as promised (protocol.md §11.1).
      const kept = answer.ok || answer['statePersisted'] === true;
      if (kept && meant !== undefined) acknowledged.push(meant);
    },
  };
}
