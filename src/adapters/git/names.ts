import { FlowError } from '../../protocol/errors.ts';

/** Transports that reach a repository and can run no command of a caller's choice. */
export const TRANSPORTS = ['file', 'git', 'http', 'https', 'ssh'] as const;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Refuses what git could take for an option, a helper that runs commands (`ext::`, `fd::`), or a name that a log
 * could not show (quality.md S3). Throws `bad-config`; returns the remote as given.
 */
export function checkRemote(remote: string): string {
  const refuse = (why: string): never => {
    throw new FlowError('bad-config', `git.remote ${why}: ${JSON.stringify(redact(remote))}`, {
      remedy: `give git.remote a path or an address of one of these kinds: ${TRANSPORTS.join(', ')}`,
    });
  };
  if (remote.trim() === '') refuse('is empty');
  if (CONTROL.test(remote)) refuse('holds a control character');
  if (remote.startsWith('-')) refuse('looks like an option');
  if (/^[A-Za-z0-9+.-]*::/.test(remote)) refuse('names a transport that runs commands');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(remote)?.[1]?.toLowerCase();
  if (scheme !== undefined && !TRANSPORTS.some((name) => name === scheme))
    refuse('names a transport that is not allowed');
  // What stands between the scheme and the path is one word for ssh: user, host and brackets.
  const [, user = '', host = ''] = /^(?:[a-z]+:\/\/)?\[?([^/]*@)?\[?([^/:\]]*)/i.exec(remote) ?? [];
  if (user.startsWith('-') || host.startsWith('-')) refuse('names a host that looks like an option');
  return remote;
}

/**
 * The rules of `git check-ref-format` for a branch name, without asking git. `key` is where the name was given, when
 * that is known. Throws `bad-config`.
 */
export function checkRefName(name: string, key?: string): string {
  const bad =
    name === '' ||
    name === '@' ||
    name.length > 255 ||
    CONTROL.test(name) ||
    /[ ~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$/.test(name) ||
    name.split('/').some((part) => part.startsWith('.') || part.startsWith('-') || part.endsWith('.lock'));
  if (bad) {
    throw new FlowError(
      'bad-config',
      `${key === undefined ? '' : `${key} is `}not a branch name: ${JSON.stringify(name)}`,
      {
        remedy: 'use letters, digits, and single - _ . / between them',
      },
    );
  }
  return name;
}

/** Takes user names and passwords out of addresses, so that no message carries a secret (quality.md S6). */
export function redact(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]*@/gi, '$1');
}
