/**
 * Texts that hold a secret and texts that do not. What looks like a secret is put together from parts, so that a forge
 * that scans what is pushed does not take this file for a leak. None of them ever opened anything.
 */
const join = (...parts: readonly string[]): string => parts.join('');

/** Letters and digits without a pattern; always the same for the same seed. */
export function noise(
  length: number,
  alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789',
  seed = 7,
): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return alphabet[state % alphabet.length];
  }).join('');
}

/** A private key as `ssh-keygen -N ''` writes it, whose zeros are nine `A` in a row; it opens nothing. */
export function opensshKey(algorithm: string, secret: Uint8Array): string {
  const field = (content: string | Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, Buffer.from(content)]);
  };
  const head = [Buffer.from('openssh-key-v1\0'), field('none'), field('none'), field(''), Buffer.from([0, 0, 0, 1])];
  const halves = [field(Buffer.concat([field(algorithm), field(secret.subarray(0, 32))])), field(secret)];
  const lines =
    Buffer.concat([...head, ...halves])
      .toString('base64')
      .match(/.{1,70}/g) ?? [];
  return join('-----BEGIN ', 'OPENSSH PRIVATE KEY-----\n', lines.join('\n'), '\n-----END OPENSSH PRIVATE KEY-----');
}

const HEX = '0123456789abcdef';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const KEY = join(noise(9), '4Q', noise(12, undefined, 11));
const JWT = [join('ey', 'J', noise(20)), join('ey', 'J', noise(40)), noise(43)].join('.');

/** Kind of secret → a text, and the part of it that must never be seen. */
export const SECRETS: readonly (readonly [kind: string, text: string, value: string])[] = (
  [
    ['private key', join('-----BEGIN ', 'RSA PRIVATE KEY-----\nMII', noise(60), '\n-----END RSA PRIVATE KEY-----')],
    ['private key', opensshKey('ssh-ed25519', Buffer.from(noise(136)))],
    [
      'private key',
      join(
        '-----BEGIN ',
        'RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F2A\n\nMII',
        noise(60),
        '\n-----END RSA PRIVATE KEY-----',
      ),
    ],
    ['private key', join('-----BEGIN ', 'PGP PRIVATE KEY BLOCK-----')],
    ['private key', join('AGE-SECRET-', 'KEY-1', noise(58, UPPER))],
    ['AWS access key', join('AK', 'IA', noise(16, UPPER))],
    ['AWS access key', join('AK', 'IA', 'EXAMPLE', noise(9, UPPER))],
    ['AWS access key', join('AS', 'IA', noise(16, UPPER))],
    ['GitHub token', join('gh', 'p_', noise(36))],
    ['GitHub token', join('gh', 's_', noise(36))],
    ['GitHub token', join('gh', 'p_', noise(16), 'EXAMPLE', noise(13))],
    ['GitHub token', join('gh', 'p_', noise(31), 'xxxxx')],
    ['GitHub token', join('github', '_pat_', noise(22), '_', noise(59))],
    ['GitLab token', join('gl', 'pat-', noise(20))],
    ['GitLab token', join('gl', 'dt-', noise(20))],
    ['Slack token', join('xo', 'xb-', noise(12, '0123456789'), '-', noise(24))],
    ['Slack token', join('xo', 'xp-', noise(12, '0123456789'), '-', noise(32))],
    [
      'Slack webhook',
      join('https://hooks.', 'slack.com/services/', noise(9, UPPER), '/', noise(11, UPPER), '/', noise(24)),
    ],
    ['Discord webhook', join('https://dis', 'cord.com/api/webhooks/123456789012345678/', noise(68))],
    ['Google key', join('AI', 'za', noise(35))],
    ['Google key', join('GOC', 'SPX-', noise(28))],
    ['Google key', join('ya', '29.', noise(60))],
    ['Stripe key', join('sk', '_live_', noise(24))],
    ['Stripe key', join('rk', '_test_', noise(24))],
    ['Stripe key', join('wh', 'sec_', noise(32))],
    ['model API key', join('sk', '-proj-', noise(48))],
    ['model API key', join('sk', '-ant-', 'api03-', noise(80))],
    ['model API key', join('sk', '-', noise(48))],
    ['model API key', join('h', 'f_', noise(34, LETTERS))],
    ['npm token', join('np', 'm_', noise(36))],
    ['PyPI token', join('py', 'pi-AgE', noise(80))],
    ['RubyGems token', join('ruby', 'gems_', noise(48, HEX))],
    ['JSON Web Token', JWT],
    ['Matrix access token', join('sy', 't_', 'YW5h', '_', noise(20, LETTERS), '_', noise(6))],
    ['Matrix access token', join('m', 'st_', noise(30), '_', noise(6))],
    ['Matrix access token', join('MD', 'Ax', noise(120))],
    ['SendGrid key', join('S', 'G.', noise(22), '.', noise(43))],
    ['Twilio key', join('S', 'K', noise(32, HEX))],
    ['Mailgun key', join('key', '-', noise(32, HEX))],
    ['Mailchimp key', join(noise(32, HEX), '-us', '14')],
    ['Telegram token', join(noise(10, '123456789'), ':', 'AA', noise(33))],
    ['DigitalOcean token', join('do', 'p_v1_', noise(64, HEX))],
    ['Shopify token', join('shp', 'at_', noise(32, HEX))],
    ['Square token', join('sq', '0atp-', noise(22))],
    ['Azure storage key', join('Account', 'Key=', noise(86), '==')],
    ['Azure storage key', join('Account', 'Key=', noise(40), 'A'.repeat(9), noise(37), '==')],
    ['Databricks token', join('da', 'pi', noise(32, HEX))],
    ['Docker token', join('dckr', '_pat_', noise(27))],
    ['Vault token', join('hv', 's.', noise(28))],
    ['Linear key', join('lin', '_api_', noise(40))],
    ['Notion token', join('nt', 'n_', noise(46))],
    ['Postman key', join('PM', 'AK-', noise(24, HEX), '-', noise(34, HEX))],
    ['Grafana token', join('gl', 'sa_', noise(32), '_', noise(8, HEX))],
    ['New Relic key', join('NR', 'AK-', noise(27, UPPER))],
    ['Sentry token', join('sn', 'trys_', noise(60))],
    ['Doppler token', join('d', 'p.pt.', noise(43))],
    ['Pulumi token', join('pu', 'l-', noise(40, HEX))],
    ['Terraform token', join(noise(14), '.atlas', 'v1.', noise(64))],
    ['Atlassian token', join('ATA', 'TT3', noise(80))],
    ['Supabase token', join('sb', 'p_', noise(40, HEX))],
    ['Airtable token', join('pa', 't', noise(14), '.', noise(64, HEX))],
  ] as const
).map(([kind, value]): readonly [string, string, string] => [kind, `Use ${value} for it.`, value]);

/** Values hard to guess, in the notations in which they are written down. */
export const TELLING: readonly (readonly [kind: string, text: string, value: string])[] = [
  ['value of password', `password: ${KEY}`, KEY],
  ['value of API_KEY', `API_KEY=${KEY}`, KEY],
  ['value of DB_PASSWORD', `export DB_PASSWORD='${KEY}'`, KEY],
  ['value of apiKey', `{ "apiKey": "${KEY}" }`, KEY],
  ['value of access_token', `{\n  "access_token": "${KEY}"\n}`, KEY],
  ['value of clientSecret', `const clientSecret = '${KEY}';`, KEY],
  ['value of AWS_SECRET_ACCESS_KEY', `AWS_SECRET_ACCESS_KEY = ${noise(40)}`, noise(40)],
  ['value of private_key', `private_key => "${KEY}"`, KEY],
  ['value of secret', `[app]\nsecret=${noise(32, HEX)}\n`, noise(32, HEX)],
  ['value of API_KEY', `API_KEY=${noise(20)}${'A'.repeat(9)}${KEY}`, KEY],
  ['value of Password', `The **Password** is \`${KEY}\`.`, KEY],
  ['value of Token', `| Token | ${KEY} |`, KEY],
  ['value of password', `mysql --password ${KEY} -u root`, KEY],
  ['value of password', `<password>${KEY}</password>`, KEY],
  ['value of Authorization', `Authorization: token ${KEY}`, KEY],
  ['value of token', `"note": "token: ${KEY}\\nnext"`, KEY],
  ['value of token', `{\\"token\\": \\"${KEY}\\"}`, KEY],
  [
    'value of HEROKU_API_KEY',
    'HEROKU_API_KEY=3f1c9a52-7b64-4e0d-9c1a-58d2e7f40b6c',
    '3f1c9a52-7b64-4e0d-9c1a-58d2e7f40b6c',
  ],
  ['value of PASSWORD_PROD', `PASSWORD_PROD="${KEY}"`, KEY],
  ['authorization header', `curl -H "Accept: */*" -H 'X: Bearer ${KEY}'`, KEY],
  ['password in an address', `https://ana:${join('s3', 'cret')}@forge.internal/x.git`, 's3cret'],
  ['password in an address', `postgres://app:${KEY}@db:5432/app`, KEY],
  ['token in an address', `https://hs/_matrix?access_token=${KEY}&x=1`, KEY],
];

/** What has nothing to hide, however much it looks like it. */
export const HARMLESS: readonly (readonly [what: string, text: string])[] = [
  ['a git object id', 'commit 3f1c9a527b644e0d9c1a58d2e7f40b6c58d2e7f4'],
  ['a git object id of SHA-256', `"commit": "${noise(64, HEX)}"`],
  ['an abbreviated object id', 'see 3f1c9a5 and 58d2e7f40b6c'],
  ['a ULID', '{"id":"01JDFQ4Z8N3W5T7V9X1B2C4D6E","type":"task.delegated"}'],
  ['a UUID', '"session": "3f1c9a52-7b64-4e0d-9c1a-58d2e7f40b6c"'],
  ['a submission id', '"submission_id": "sub-3f1c9a527b644e0d9c1a58d2e7f40b6c"'],
  ['a transaction', '"notify_txn": "assign-t-1-9c1a58d2e7f4"'],
  ['an event id', '"eventId": "$k3J9dPq2LmZ7wX0vB5nR8tY1uH4gF6sA-cE_iO9kQzM"'],
  ['a digest', `sha256:${noise(64, HEX)}`],
  ['a digest behind a telling key', `"token": "sha256:${noise(64, HEX)}"`],
  ['an integrity of a lock file', `"integrity": "sha512-${noise(86)}=="`],
  ['an image', `![x](data:image/png;base64,iVBORw0KGgo${noise(400)}=)`],
  ['a public key', `-----BEGIN PUBLIC KEY-----\nMII${noise(60)}\n-----END PUBLIC KEY-----`],
  ['a certificate', `-----BEGIN CERTIFICATE-----\nMII${noise(60)}\n-----END CERTIFICATE-----`],
  ['an SSH public key', `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${noise(43)} ana@host`],
  ['the name of a variable', '"accessTokenEnv": "BATON_MATRIX_TOKEN"'],
  ['a file of a password', 'passwordFile: /run/secrets/db2/password1'],
  ['a reference to a variable', 'password: ${DB_PASSWORD_2}'],
  ['a variable of a shell', 'TOKEN=$GITHUB_TOKEN2'],
  ['a variable of a program', 'const token = process.env.TOKEN_2024;'],
  ['a secret of a pipeline', 'token: ${{ secrets.DEPLOY_TOKEN_2 }}'],
  ['a call', "const password = readPassword2(place, 'x');"],
  ['a type', 'token: Uint8Array'],
  ['a placeholder', 'api_key: your-api-key-1234'],
  ['a placeholder in angles', 'password: <your password 1234>'],
  ['a changed placeholder', 'password: changeme1234'],
  ['an example', 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE'],
  ['a row of x', `token: ${join('gh', 'p_')}${'x'.repeat(36)}`],
  ['a row of x in a webhook', join('https://hooks.', `slack.com/services/T00000000/B00000000/${'X'.repeat(24)}`)],
  ['a row of x behind numbers', join('xo', 'xb-', `123456789012-1234567890123-${'x'.repeat(24)}`)],
  ['a row of x in the place of a signature', join('ey', 'J', noise(34), '.ey', 'J', noise(60), '.', 'x'.repeat(20))],
  ['an example of a token', join('gh', 'p_', 'EXAMPLE'.repeat(5), '1')],
  ['a private key of dots', join('-----BEGIN ', 'RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----')],
  ['a private key that is left out', join('-----BEGIN ', 'PRIVATE KEY-----\nMIIEvQIBADAN…\n-----END PRIVATE KEY-----')],
  [
    'a private key of words',
    join(
      '-----BEGIN ',
      'PRIVATE KEY-----\nYOUR OWN PRIVATE KEY, AS THE PROVIDER SHOWS IT ONCE\n-----END PRIVATE KEY-----',
    ),
  ],
  [
    'rows of x in a private key',
    join('-----BEGIN ', `PRIVATE KEY-----\n${`${'x'.repeat(64)}\n`.repeat(9)}-----END PRIVATE KEY-----`),
  ],
  ['zeros in a private key', join('-----BEGIN ', `PRIVATE KEY-----\nMC4C${'0'.repeat(60)}\n-----END PRIVATE KEY-----`)],
  ['asterisks', 'password: ************'],
  ['what was redacted', 'https://[redacted]@host/x.git'],
  ['words', 'The token is refreshed every 30 minutes; passwords are not stored.'],
  ['a number of tokens', 'max_tokens: 128000'],
  ['a tokenizer', 'tokenizer: cl100k_base_v2_2024'],
  ['a name of a secret', 'secretName: my-service-credentials-2024'],
  ['a secret that is a name', 'secret: my-service-credentials-2024'],
  ['an address of tokens', 'token_url: https://auth.example.com/oauth2/v1/token'],
  ['a public key id', 'public_key: 3f1c9a527b644e0d9c1a58d2e7f40b6c'],
  ['an address with a user', 'git remote add origin ssh://git@forge.internal:2222/team.git'],
  ['an address with a stand-in', 'postgres://user:password@localhost/db'],
  ['an address with variables', 'https://$USER:$PASS@forge.internal/x.git'],
  ['an address of an example', 'https://abc:xyz1@example.com/'],
  ['a port', 'http://127.0.0.1:8080/a@b'],
  ['a Matrix id', '"matrixUserId": "@ana:hs.domain", "teamRoomId": "!k3J9dPq2LmZ7wX0vB5:hs.domain"'],
  ['a time', '"created_at": "2026-11-25T21:00:00Z"'],
  ['a version', 'token: v2.10.3-beta.4'],
  ['a type of a field', 'access_token: z.string().optional(),'],
  ['a query without secrets', 'https://forge.internal/search?q=token&key=name&page=12'],
  ['a fingerprint that is allowed', '"allowedSecrets": ["sha256:3f1c9a527b64"]'],
  ['an author', 'author: ana.b3 <ana.b3@hs.domain>'],
  ['a path', 'secret: ./config/keys/service2.pem'],
];

export { KEY as SOME_KEY };
