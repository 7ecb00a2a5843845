import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { logIn, person } from '../../../src/demo/homeserver/accounts.ts';
import type { RoomEvent } from '../../../src/demo/homeserver/accounts.ts';
import { buildElement } from './install.ts';
import { serveElement } from './serve.ts';

/** `npm run docs:pictures`: plays the demo on a homeserver and takes Element's view of its rooms into docs/images/. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const IMAGES = join(ROOT, 'docs/images');
const SIZE = { width: 1200, height: 800 };
const MOST_BYTES = 200_000;
/** Only catches what hangs; milliseconds. */
const PATIENCE = 120_000;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Runs in the browser. Only the messages are moved, and who says them is left in sight. */
const TO_THE_TOP = `(event) => {
  const tile = document.querySelector('[data-event-id="' + event + '"]');
  const panel = tile.closest('.mx_ScrollPanel');
  panel.scrollTop += tile.getBoundingClientRect().top - panel.getBoundingClientRect().top - 40;
}`;

interface Rooms {
  readonly homeserver: string;
  readonly userId: string;
  readonly password: string;
  readonly teamRoom: string;
  readonly leaderDm: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const browserPath = process.env['CHROMIUM'] ?? BROWSERS.find((path) => existsSync(path));
if (browserPath === undefined) {
  process.stderr.write('There is no Chromium to take pictures with: install one, or name it with CHROMIUM\n');
  process.exit(1);
}
mkdirSync(IMAGES, { recursive: true });
say('Element is built, once …');
const webapp = await buildElement();
say('The demo is played on a homeserver, at the speed that it allows …');
const demo = await playDemo();
try {
  await takePictures(demo.rooms, browserPath);
} finally {
  await demo.end();
}

/** The demo with its homeserver, up until it is ended. */
async function playDemo(): Promise<{ readonly rooms: Rooms; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-pictures-'));
  const history = join(ROOT, 'fixtures/demo/history.bundle');
  const parameters = ['demo', '--matrix', '--json', '--dir', join(folder, 'demo'), '--history', history];
  const child = spawn(process.execPath, [join(ROOT, 'src/bin.ts'), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes('\n')) break;
  }
  if (!output.includes('\n')) {
    await end();
    throw new Error(`the demo has not come to its end: ${output}`);
  }
  return { rooms: (JSON.parse(output) as { readonly matrix: Rooms }).matrix, end };
}

async function takePictures(rooms: Rooms, executablePath: string): Promise<void> {
  const { homeserver, userId, password, teamRoom, leaderDm } = rooms;
  using element = await serveElement(webapp, homeserver);
  const reader = person({ url: homeserver }, await logIn(homeserver, userId, password));
  const team = await reader.messages(teamRoom);
  const direct = await reader.messages(leaderDm);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: SIZE });
    page.setDefaultTimeout(PATIENCE);
    await enter(page, element.url, rooms);
    await picture(page, 'team-room', teamRoom, find(team, 'TASK_ASSIGNED'));
    await picture(page, 'team-room-attention', teamRoom, find(team, 'ATTENTION_DECISION'));
    const report = direct.findLast(({ content: { body = '' } }) => /Mode\*\*: DAG[\s\S]*✅ completed\n/.test(body));
    if (report === undefined) throw new Error('the Leader DM holds no report');
    await picture(page, 'leader-dm-report', leaderDm, report);
  } finally {
    await browser.close();
  }
}

function find(events: readonly RoomEvent[], token: string): RoomEvent {
  const found = events.find(({ content }) => content.body?.includes(token) === true);
  if (found === undefined) throw new Error(`nothing in the room says ${token}`);
  return found;
}

/** Logs in as a person does. */
async function enter(page: Page, url: string, { userId, password }: Rooms): Promise<void> {
  await page.goto(url);
  // Element shows its welcome page first, whatever the address says, and at its own time.
  const form = "(window.location.hash = '#/login', document.querySelector('input[name=username]') !== null)";
  await page.waitForFunction(form, undefined, { polling: 500 });
  await page.locator('input[name=username]').fill(userId);
  await page.locator('input[name=password]').fill(password);
  await page.locator('input[type=submit]').click();
  await page.locator('.mx_RoomTile').first().waitFor();
}

async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`window.location.hash = ${JSON.stringify(hash)}`);
}

/** A room, with one message of it at the top. */
async function picture(page: Page, name: string, room: string, event: RoomEvent): Promise<void> {
  await goTo(page, `#/room/${room}/${event.event_id}`);
  await page.locator(`[data-event-id="${event.event_id}"]`).waitFor();
  // The pointer, where it rests, would bring up a message's tools.
  await page.mouse.move(200, 600);
  await page.evaluate(`(${TO_THE_TOP})(${JSON.stringify(event.event_id)})`);
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  await settled(page);
  const file = join(IMAGES, `${name}.png`);
  await page.screenshot({ path: file });
  await compress(file);
  const { size } = statSync(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes, and ${MOST_BYTES} are the most`);
  say(`${file}  ${Math.round(size / 1000)} kB`);
}

/** Names and faces come after the message that shows them, and what still loads moves: two equal pictures are the last. */
async function settled(page: Page): Promise<void> {
  let last = '';
  for (;;) {
    const shot = (await page.screenshot()).toString('base64');
    if (shot === last) return;
    last = shot;
    await page.waitForTimeout(500);
  }
}

/** With pngquant where it is at hand. */
async function compress(file: string): Promise<void> {
  const small = `${file}.small`;
  try {
    await promisify(execFile)('pngquant', ['--force', '--output', small, '--', file]);
    renameSync(small, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    say('without pngquant the pictures are larger');
  }
}
