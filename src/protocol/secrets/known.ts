import { isTelltale, redactSecrets } from './scan.ts';
import { isTellingKey } from './telling.ts';

/** What this process knows to be secret, asked wherever texts leave it (quality.md S6). */
export interface Secrets {
  /** Values that must never be seen. */
  known(): readonly string[];
  /** One more of them; what is too plain to be told from ordinary words is left out. */
  learn(value: string | undefined): void;
  /** Likewise the user name and the password of an address. */
  learnAddress(address: string | undefined): void;
  /** The text without anything that is known, or has the form of a secret. */
  readonly redact: (text: string) => string;
}

/**
 * What a process knows to be secret: at first the values of those variables of its environment whose names say so
 * (`…_TOKEN`, `…_PASSWORD`, `…_API_KEY`). Values that are ordinary words are left out: hiding them would hide the
 * words everywhere.
 */
export function createSecrets(env: Readonly<Record<string, string | undefined>>): Secrets {
  const values = new Set<string>();
  const learn = (value: string | undefined): void => {
    if (value !== undefined && isTelltale(value)) values.add(value);
  };
  for (const [name, value = ''] of Object.entries(env)) {
    // A file or an address that a secret is to be had from is none itself.
    if (isTellingKey(name) && !/^[./~]|:\/\//.test(value)) learn(value);
  }
  return {
    known: () => [...values],
    learn,
    learnAddress(address) {
      const [, user = '', password = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/@:]*)(?::([^/@]*))?@/i.exec(address ?? '') ?? [];
      for (const part of [user, password]) for (const form of [part, decoded(part)]) learn(form);
    },
    redact: (text) => redactSecrets(text, [...values]),
  };
}

/** A value of JSON with every text in it redacted. */
export function redactedAll<Value>(value: Value, redact: Secrets['redact']): Value {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' ? redact(inner) : inner,
  ) as Value;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
