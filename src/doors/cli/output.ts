import type { Envelope } from '../../app-types.ts';
import { FlowError, withoutRemedy } from '../../protocol/errors.ts';
import { createPalette, printable, printableLines, type Palette } from './text.ts';

/** How the caller wants to be answered, and where to. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly width: number;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Takes secrets out of what is said of a failure (quality.md S6). */
  readonly redact: (text: string) => string;
}

/** Draws an answer for a person; it ends without a line break. */
export type Draw = (palette: Palette, width: number) => string;

export const EXIT = { done: 0, refused: 1, usage: 2 } as const;

/**
 * The one place that writes to standard output. With `--json` there is exactly one document, whatever happens; without
 * it an answer is text for people and a refusal goes to standard error.
 */
export interface Output extends OutputOptions {
  readonly palette: Palette;
  /** Prints the answer of a call and tells the exit code. */
  answer(envelope: Envelope, draw: Draw): number;
  /** Prints one of many things that are told as they come: a line of JSON, or of text. */
  told(happening: object, draw: Draw): void;
  /** Prints a refusal that never became an answer. */
  refuse(error: FlowError): number;
  /** Prints what is wrong with the command line itself. */
  usage(message: string, seeAlso: string): number;
  /** A note for a person, on standard error: progress, hints. Silent with `--quiet` and `--json`. */
  note(text: string): void;
}

/** What to do about a refusal that does not say so itself. */
const REMEDIES: Readonly<Record<string, string>> = {
  'invalid-argument': 'see the command with --help for what is expected',
  'invalid-result': 'correct STATUS, SUMMARY and DELIVERABLES in result.md, then submit again',
  'not-found': '`baton board` shows what there is',
  'already-exists': 'choose another id, or go on with the one there is',
  'wrong-role': 'say who acts with --as NAME --role ROLE',
  'wrong-worker': 'only the assignee may do this: say who acts with --as NAME',
  paused: '`baton project resume PROJECT` when work should go on',
  'illegal-transition': '`baton board` shows the state that it is in',
  'blocked-by-deps': 'accept what it depends on first; `baton board` shows it',
  'stale-submission': '`baton task check TASK` shows the current submission',
  'sync-failed': 'see `baton sync status`, and run this again when the remote answers',
  'notify-failed': 'nothing is lost: run this again to send the message',
  'message-blocked': 'write a message that carries information, or none',
  'not-owner': 'leave that file to its owner; docs/protocol.md says who owns what',
  'broken-file': '`baton doctor` shows file, line and rule',
  'git-failed': '`baton doctor` checks git and the repository',
  locked: '`baton doctor` shows who holds the workspace',
};

const FALLBACK_REMEDY = '`baton doctor` looks for what is wrong';

export function createOutput(options: OutputOptions): Output {
  const palette = createPalette(options.color);
  const { redact } = options;
  const document = (value: unknown): void => options.out(`${JSON.stringify(value, undefined, 2)}\n`);
  const complain = (code: string, message: string, remedy: string): void => {
    const said = withoutRemedy(message, remedy);
    options.err(`${palette.red(`error[${code}]`)}: ${printable(redact(said))}\n${printable(redact(remedy))}\n`);
  };
  return {
    ...options,
    palette,
    answer: (envelope, draw) => {
      if (options.json) document(envelope);
      if (!envelope.ok) {
        const code = envelope.code ?? 'internal';
        const remedy =
          typeof envelope['remedy'] === 'string' ? envelope['remedy'] : (REMEDIES[code] ?? FALLBACK_REMEDY);
        complain(code, envelope.error ?? 'the call failed without saying why', remedy);
        return EXIT.refused;
      }
      if (!options.json && !options.quiet) options.out(`${draw(palette, options.width).trimEnd()}\n`);
      return EXIT.done;
    },
    told: (happening, draw) => {
      if (options.json) options.out(`${JSON.stringify(happening)}\n`);
      else if (!options.quiet) options.out(`${draw(palette, options.width)}\n`);
    },
    refuse: (error) => {
      const remedy = error.remedy ?? REMEDIES[error.code] ?? FALLBACK_REMEDY;
      if (options.json) {
        document({
          ok: false,
          code: error.code,
          error: redact(error.message),
          remedy: redact(remedy),
          retryable: error.retryable,
          ...error.data,
        });
      }
      complain(error.code, error.message, remedy);
      return EXIT.refused;
    },
    usage: (message, seeAlso) => {
      if (options.json) document({ ok: false, code: 'usage', error: redact(message), remedy: seeAlso });
      complain('usage', message, seeAlso);
      return EXIT.usage;
    },
    note: (text) => {
      if (!options.quiet && !options.json) options.err(`${palette.dim(printableLines(redact(text)))}\n`);
    },
  };
}
