import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlowError } from '../../protocol/errors.ts';

export interface TokenSource {
  readonly accessTokenEnv?: string | undefined;
  readonly accessTokenFile?: string | undefined;
}

/**
 * The access token, from the environment or from a file beside the workspace (interface.md §6). Throws `bad-config`
 * that names where it was looked for, and never what was found.
 */
export function readAccessToken(
  { accessTokenEnv, accessTokenFile }: TokenSource,
  { root, env }: { readonly root: string; readonly env: NodeJS.ProcessEnv },
): string {
  if (accessTokenFile === undefined) {
    const name = accessTokenEnv ?? '';
    return requireToken(env[name], `the environment variable ${name}`, 'matrix.accessTokenEnv');
  }
  let text: string;
  try {
    text = readFileSync(resolve(root, accessTokenFile), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw noToken(`${accessTokenFile} cannot be read (${code})`, 'matrix.accessTokenFile');
  }
  return requireToken(text, accessTokenFile, 'matrix.accessTokenFile');
}

function requireToken(text: string | undefined, where: string, key: string): string {
  const token = text?.trim() ?? '';
  if (token === '') throw noToken(`${where} is ${text === undefined ? 'not set' : 'empty'}`, key);
  if (/[^\x21-\x7E]/.test(token)) throw noToken(`${where} holds something else than one token`, key);
  return token;
}

function noToken(problem: string, key: string): FlowError {
  return new FlowError('bad-config', `${key}: ${problem}`, {
    remedy: "put the account's access token there, or take the matrix section out of baton.json",
  });
}
