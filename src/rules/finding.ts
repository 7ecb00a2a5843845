/** Something that does not fit together, with what mends it. The key is stable for as long as it stands. */
export interface Finding {
  readonly key: string;
  /** Kebab-case, for instance `marker-and-record-disagree`. */
  readonly kind: string;
  readonly severity: 'error' | 'warning';
  readonly projectId?: string;
  readonly taskId?: string;
  /** Where it is to be mended, when the message does not say so: workspace-relative, with the line where it is known. */
  readonly file?: string;
  readonly line?: number;
  readonly message: string;
  readonly remedy: string;
  /** The remedy begins with an edit of the file, and a command that it names comes after. */
  readonly byHand?: true;
  /** The operation that mends it; absent when a person has to decide. */
  readonly repair?: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> };
}
