import type { Diagnostic } from '../../protocol/diagnostic.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { findInconsistencies } from '../../rules/consistency.ts';
import type { Facts } from '../types.ts';

export interface Problem {
  readonly kind: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
  readonly projectId?: string;
  readonly taskId?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Its file is to be edited first. */
  readonly byHand?: true;
  /** A running node mends it by itself. */
  readonly selfMending?: true;
}

/** Broken files and contradictions between files as one list; a broken file is told once, with its place. */
export function problemsOf(view: WorkspaceView): readonly Problem[] {
  const diagnostics = view.diagnostics();
  const findings = findInconsistencies(view).filter(({ kind }) => kind !== 'broken-file');
  return [
    ...diagnostics.map(problemOf),
    ...findings.map(({ kind, severity, message, remedy, projectId, taskId, file, line, byHand, repair }) => ({
      kind,
      severity,
      message,
      remedy,
      ...(projectId === undefined ? {} : { projectId }),
      ...(taskId === undefined ? {} : { taskId }),
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(byHand === undefined ? {} : { byHand }),
      ...(repair === undefined ? {} : { selfMending: true as const }),
    })),
  ];
}

/** What somebody changed by hand and nobody else will ever see as it stands. */
export function unfitProblems({ unfit = [] }: Facts): readonly Problem[] {
  return unfit.map(({ path, line, why, remedy, foreign = false }) => ({
    kind: 'unpublishable',
    severity: foreign ? 'warning' : 'error',
    message: foreign ? `was changed by hand, and ${why}` : `cannot be committed: it ${why}`,
    remedy,
    file: path,
    ...(line === undefined ? {} : { line }),
  }));
}

function problemOf(diagnostic: Diagnostic): Problem {
  const { rule, severity, message, file, line, column, expected } = diagnostic;
  const place = file === undefined ? 'the file' : file;
  return {
    kind: rule,
    severity,
    message,
    remedy: `mend ${place}, line ${line}${expected === undefined ? '' : `: ${expected} is expected`}`,
    ...(file === undefined ? {} : { file }),
    line,
    column,
  };
}
