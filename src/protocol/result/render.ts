import type { TaskResult } from '../records/types.ts';
import { deliverableItem, saysNothing } from './items.ts';
import { envelopeLines } from './parse.ts';
import { normaliseText } from './structure.ts';
import { inOneLine } from '../one-line.ts';

/** The envelope of protocol.md §7.1. Items are one line each; items that say nothing are left out. */
export function renderResult(result: TaskResult): string {
  return render(result, false);
}

/**
 * Puts `result` at the head of a result.md that may already hold a report (protocol.md §7.5). A valid envelope is
 * replaced; otherwise the whole text becomes the report below the new one. No other text is lost, and doing it
 * twice changes nothing.
 */
export function mergeIntoReport(existing: string, result: TaskResult): string {
  const text = normaliseText(existing);
  const lines = text.split('\n');
  const consumed = envelopeLines(text);
  if (consumed === undefined) return join('', result, text);

  const numbers = [...consumed];
  const first = Math.min(...numbers);
  const last = Math.max(...numbers);
  const leftOver = lines
    .slice(first - 1, last)
    .filter((line, index) => !consumed.has(first + index) && line.trim() !== '');
  const before = lines.slice(0, first - 1);
  const after = lines.slice(last);
  const start = after.findIndex((line) => line.trim() !== '');
  const hasRule = after[start]?.trim() === '---';
  const body = hasRule ? after.slice(start + 1) : after;
  const preface = before.map((line) => `${line}\n`).join('');
  return join(preface, result, [...leftOver, ...body].join('\n'), hasRule && leftOver.length === 0);
}

/** `asIs`: the body already stood below a rule, so its first blank lines are its own. */
function join(preface: string, result: TaskResult, body: string, asIs = false): string {
  if (body.trim() === '') return `${preface}${render(result, false)}`;
  const report = asIs ? body : `\n${body.replace(/^(?:[^\S\n]*\n)+/, '')}`;
  return `${preface}${render(result, true)}\n---\n${report}${report.endsWith('\n') ? '' : '\n'}`;
}

/**
 * A report below must be kept out of the deliverables: readers without the `---` rule take its bullets for items of
 * the section that is open, so that section has to be NOTES.
 */
function render(result: TaskResult, withReport: boolean): string {
  const deliverables = result.deliverables.filter((path) => path !== '').map((path) => `- ${deliverableItem(path)}\n`);
  const notes = result.notes
    .map(inOneLine)
    .filter((note) => !saysNothing(note))
    .map((note) => `- ${note}\n`);
  const head = `STATUS: ${result.status}\nSUMMARY: ${inOneLine(result.summary)}\n\nDELIVERABLES:\n${deliverables.join('')}`;
  return notes.length > 0 || withReport ? `${head}\nNOTES:\n${notes.join('')}` : head;
}
