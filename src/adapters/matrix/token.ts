import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlowError } from '../../protocol/errors.ts';

export interface TokenSource {
  readonly accessTokenEnv?: string | undefined;
  readonly accessTokenFile?: string | undefined;
}

export interface PasswordSource {
  readonly passwordEnv?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** Where names of variables and files are looked up. */
interface Place {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

const TOKEN_REMEDY = "put the account's access token there, or take the matrix section out of baton.json";
const PASSWORD_REMEDY = "put the account's password there, and nothing else";

/**
 * The access token, from the environment or from a file beside the workspace (interface.md §6). Throws `bad-config`
 * that names where it was looked for, and never what was found.
 */
export function readAccessToken({ accessTokenEnv, accessTokenFile }: TokenSource, place: Place): string {
  const key = accessTokenFile === undefined ? 'matrix.accessTokenEnv' : 'matrix.accessTokenFile';
  const { text, where } = lookUp(accessTokenEnv, accessTokenFile, place, { key, remedy: TOKEN_REMEDY });
  const token = text.trim();
  if (token === '') throw missing(key, `${where} is empty`, TOKEN_REMEDY);
  if (/[^\x21-\x7E]/.test(token)) throw missing(key, `${where} holds something else than one token`, TOKEN_REMEDY);
  return token;
}

/** The password, likewise; a line end behind it is not part of it. `undefined` when nothing says where it is. */
export function readPassword({ passwordEnv, passwordFile }: PasswordSource, place: Place): string | undefined {
  if (passwordEnv === undefined && passwordFile === undefined) return undefined;
  const key = passwordFile === undefined ? 'matrix.passwordEnv' : 'matrix.passwordFile';
  const { text, where } = lookUp(passwordEnv, passwordFile, place, { key, remedy: PASSWORD_REMEDY });
  return requirePassword(text, where, key);
}

/** A password as it stands in a file or comes from standard input. Throws `bad-config` when there is none in it. */
export function requirePassword(text: string, where: string, key: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw missing(key, `${where} is empty`, PASSWORD_REMEDY);
  if (/[\r\n]/.test(password)) throw missing(key, `${where} holds more than one line`, PASSWORD_REMEDY);
  return password;
}

function lookUp(
  variable: string | undefined,
  file: string | undefined,
  { root, env }: Place,
  { key, remedy }: { readonly key: string; readonly remedy: string },
): { readonly text: string; readonly where: string } {
  if (file === undefined) {
    const where = `the environment variable ${variable ?? ''}`;
    const text = env[variable ?? ''];
    if (text === undefined) throw missing(key, `${where} is not set`, remedy);
    return { text, where };
  }
  try {
    return { text: readFileSync(resolve(root, file), 'utf8'), where: file };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw missing(key, `${file} cannot be read (${code})`, remedy);
  }
}

function missing(key: string, problem: string, remedy: string): FlowError {
  return new FlowError('bad-config', `${key}: ${problem}`, { remedy });
}
