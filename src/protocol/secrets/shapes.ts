/** A form that only secrets have, as those who give them out document it. */
interface Shape {
  /** What it is, in the words of a refusal. */
  readonly kind: string;
  /** Of the whole secret, without groups; it begins where no letter, digit or underscore stands before. */
  readonly pattern: string;
}

/** Tables of secret scanners were compared (gitleaks, forges' push protection); only forms with a telling prefix are here. */
const SHAPES: readonly Shape[] = [
  {
    kind: 'private key',
    pattern: String.raw`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]|-(?!----))*-----END [A-Z0-9 ]+-----)?`,
  },
  { kind: 'private key', pattern: String.raw`AGE-SECRET-KEY-1[0-9A-Z]{50,}|PuTTY-User-Key-File-[23]:` },
  { kind: 'AWS access key', pattern: '(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])' },
  {
    kind: 'GitHub token',
    pattern: String.raw`gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{20,}_[A-Za-z0-9]{40,}`,
  },
  {
    kind: 'GitLab token',
    pattern: String.raw`gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct|oas)-[A-Za-z0-9_-]{20,}|GR1348941[A-Za-z0-9_-]{20,}`,
  },
  { kind: 'Slack token', pattern: String.raw`xox[abeoprs]-[A-Za-z0-9-]{20,}|xapp-\d-[A-Z0-9]{8,}-\d+-[a-f0-9]{32,}` },
  { kind: 'Slack webhook', pattern: String.raw`https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/_-]{30,}` },
  {
    kind: 'Discord webhook',
    pattern: String.raw`https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[A-Za-z0-9_-]{30,}`,
  },
  {
    kind: 'Google key',
    pattern: String.raw`AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])|GOCSPX-[A-Za-z0-9_-]{24,}|ya29\.[A-Za-z0-9_-]{20,}`,
  },
  { kind: 'Stripe key', pattern: '(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{32,}' },
  {
    kind: 'model API key',
    pattern: [
      'sk-(?:ant|proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}',
      '(?:sk-|gsk_|xai-|pplx-)[A-Za-z0-9]{32,}',
      '(?:hf|r8)_[A-Za-z0-9]{30,}',
    ].join('|'),
  },
  { kind: 'npm token', pattern: 'npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])' },
  { kind: 'PyPI token', pattern: 'pypi-AgE[A-Za-z0-9_-]{50,}' },
  { kind: 'RubyGems token', pattern: 'rubygems_[a-f0-9]{48}' },
  { kind: 'JSON Web Token', pattern: String.raw`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}` },
  {
    kind: 'Matrix access token',
    pattern: String.raw`sy[tr]_[A-Za-z0-9+/=_-]+_[A-Za-z]{20}_[A-Za-z0-9]{6}|m[a-z]{2}_[A-Za-z0-9]{20,}_[A-Za-z0-9]{6}|MDAx[A-Za-z0-9_-]{80,}`,
  },
  { kind: 'SendGrid key', pattern: String.raw`SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}` },
  { kind: 'Twilio key', pattern: 'SK[0-9a-f]{32}(?![A-Za-z0-9])' },
  { kind: 'Mailgun key', pattern: '(?:key|pubkey)-[0-9a-f]{32}(?![A-Za-z0-9])' },
  { kind: 'Mailchimp key', pattern: String.raw`[0-9a-f]{32}-us\d{1,2}(?![A-Za-z0-9])` },
  { kind: 'Telegram token', pattern: String.raw`\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])` },
  { kind: 'DigitalOcean token', pattern: 'do[opr]_v1_[a-f0-9]{64}' },
  { kind: 'Shopify token', pattern: 'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}' },
  { kind: 'Square token', pattern: 'sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}' },
  { kind: 'Azure storage key', pattern: '(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40,}={0,2}' },
  { kind: 'Databricks token', pattern: 'dapi[a-f0-9]{32}(?![A-Za-z0-9])' },
  { kind: 'Docker token', pattern: 'dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}' },
  { kind: 'Vault token', pattern: String.raw`hv[sbr]\.[A-Za-z0-9_-]{24,}` },
  { kind: 'Linear key', pattern: 'lin_api_[A-Za-z0-9]{40}' },
  { kind: 'Notion token', pattern: 'ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])' },
  { kind: 'Postman key', pattern: 'PMAK-[a-f0-9]{24}-[a-f0-9]{34}' },
  { kind: 'Grafana token', pattern: 'glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}' },
  { kind: 'New Relic key', pattern: 'NRAK-[A-Z0-9]{27}' },
  { kind: 'Sentry token', pattern: 'sntry[su]_[A-Za-z0-9+/=_-]{40,}' },
  { kind: 'Doppler token', pattern: String.raw`dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9._-]{40,}` },
  { kind: 'Pulumi token', pattern: 'pul-[a-f0-9]{40}' },
  { kind: 'Terraform token', pattern: String.raw`[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}` },
  { kind: 'Atlassian token', pattern: 'ATATT3[A-Za-z0-9_=-]{60,}' },
  { kind: 'Supabase token', pattern: 'sbp_[a-f0-9]{40}' },
  { kind: 'Airtable token', pattern: String.raw`pat[A-Za-z0-9]{14}\.[a-f0-9]{64}` },
];

/** One expression for all, since a text is read once and not once for each. A group for each shape tells which it was. */
const ANY_SHAPE = new RegExp(
  String.raw`(?<![A-Za-z0-9_])(?:${SHAPES.map(({ pattern }) => `(${pattern})`).join('|')})`,
  'g',
);

/** A place of a text that holds a secret, as offsets in UTF-16 units. */
export interface SecretSpan {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/** Everything in the text that has the form of a secret, wherever it stands, in order. */
export function shapesIn(text: string): readonly SecretSpan[] {
  // Nearly always there is none, and `matchAll` makes a new expression of that length for each text.
  if (text.search(ANY_SHAPE) === -1) return [];
  return [...text.matchAll(ANY_SHAPE)].flatMap(({ 0: whole, index, ...groups }) => {
    if (isSample(whole)) return [];
    const found = SHAPES.findIndex((_, shape) => Reflect.get(groups, shape + 1) !== undefined);
    return [{ kind: SHAPES[found]?.kind ?? 'secret', start: index, end: index + whole.length }];
  });
}

/** What documentation writes in the place of what is secret. */
const FILLING = /EXAMPLE|x{5,}|X{5,}|(.)\1{7,}/g;

/** What stands before the secret part where it is long: the address of a webhook, Slack's numbers, the claims of a JSON Web Token. */
const LEADING = /^(?:https:\/\/.*\/|x(?:ox[a-z]|app)-.*-|.*[.:])(?=.)/;

/** AWS ends its samples so, on letters that mean nothing. */
const SAMPLE_OF_AWS = /^A[A-Z]{3}[A-Z2-7]{9}EXAMPLE$/;

/**
 * Documentation writes samples in the form of the real thing: `AKIAIOSFODNN7EXAMPLE`, `ghp_xxxxxxxx…`. One is made of
 * filling for the most part, since a word or a row stands in a real one, too, by chance or for zeros.
 */
export function isSample(value: string): boolean {
  if (value.startsWith('-----BEGIN ')) return isSampleKey(value);
  const secret = value.replace(LEADING, '');
  const filling = secret.match(FILLING)?.join('').length ?? 0;
  return filling * 2 >= secret.length || SAMPLE_OF_AWS.test(value);
}

/** Fewer characters of base64 are no private key: they are 30 bytes. */
const SHORTEST_KEY = 40;

/**
 * A key of dots, words or rows, or of a few letters. Every OpenSSH key without a passphrase begins with zeros in a row, so
 * that what counts is what is left without them; and no key is without a digit. One that has no end may be cut off.
 */
function isSampleKey(block: string): boolean {
  const [, , body = '', end] = block.split('-----');
  if (end === undefined) return false;
  const letters = body.replace(/(.)\1{7,}|[^A-Za-z0-9+/]/g, '');
  return letters.length < SHORTEST_KEY || !/\d/.test(letters);
}
