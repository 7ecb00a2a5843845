import type { BatonConfig } from './config.ts';
import type { Author } from './ports-git.ts';
import { FlowError } from './protocol/errors.ts';
import { createSecrets } from './protocol/secrets/known.ts';
import type { Secrets } from './protocol/secrets/known.ts';

/** What of the configuration and the environment must never be seen. The chat adds what it reads and is given. */
export function secretsOf({ git, matrix, embeddings }: BatonConfig, env: NodeJS.ProcessEnv): Secrets {
  const secrets = createSecrets(env);
  secrets.learnAddress(git.remote);
  for (const name of [matrix?.accessTokenEnv, matrix?.passwordEnv, embeddings.apiKeyEnv]) {
    if (name !== undefined) secrets.learn(env[name]);
  }
  return secrets;
}

/** The author stands in every commit, for everybody to read. Throws `bad-config`. */
export function checkAuthor(author: Author, secrets: Secrets): Author {
  const { name, email } = author;
  if (secrets.redact(name) === name && secrets.redact(email) === email) return author;
  throw new FlowError('bad-config', 'the author of the commits holds a secret', {
    remedy: 'correct git.author in baton.json, or user.name and user.email in the configuration of git',
  });
}
