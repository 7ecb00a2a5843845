/**
 * Something wrong in a file, as a value with a place. Parsers report as many as they find and go on;
 * they never throw for what a text holds.
 */
export interface Diagnostic {
  /** Stable kebab-case id, for instance `plan-duplicate-id`. */
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Workspace-relative path, when the caller knows it. */
  readonly file?: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units, as editors count. */
  readonly column: number;
  /** What would have been accepted. */
  readonly expected?: string;
}

/** `path:line:column rule message`, the one form in which a diagnostic is printed. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, rule, message, expected } = diagnostic;
  const place = `${file ?? '<text>'}:${line}:${column}`;
  return `${place} [${rule}] ${message}${expected === undefined ? '' : ` (expected ${expected})`}`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
