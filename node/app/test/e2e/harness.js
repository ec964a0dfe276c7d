/**
 * The page in a real browser, before the real server, the real daemon and real files. Chromium is the system's; without it
 * the tests say so and are skipped.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPOSITORY, World, until } from '../world.js';
import { missingTools, writeAlbums, writeNotes } from './album.js';

/** What the page is built with is installed beside it, not beside the server: a board needs none of it. */
const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const DIST = fileURLToPath(new URL('../../dist/index.html', import.meta.url));

export const DESK = { viewport: { width: 1440, height: 900 } };

function chromiumPath() {
  for (const each of [process.env.MEDIADB_CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'])
    if (each && existsSync(each)) return each;
  return '';
}

function installed() {
  try {
    require.resolve('playwright-core');
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
    return false;
  }
}

/** Why the tests of the page cannot be run here, or false. */
export const skip =
  (!installed() && 'the tools of the page are not installed: npm ci in node/app/ui') ||
  (!chromiumPath() && 'chromium is missing (Debian: chromium), or MEDIADB_CHROMIUM does not name it') ||
  (!existsSync(DIST) && 'the page is not built: npm run build in node/app/ui') ||
  missingTools() ||
  false;

/** Where pictures of views go: a folder of the system's, never the repository's. */
export const SHOTS = process.env.MEDIADB_SHOTS || path.join(tmpdir(), 'mediadb-shots');

/** @typedef {import('playwright-core').Page} Page */

export class Stage {
  world = new World();
  /** @type {import('playwright-core').Browser} */
  // @ts-expect-error set by open()
  browser;
  /** what the browser complained of, to be empty at the end of every test @type {string[]} */
  complaints = [];

  /** @param {{ seconds?: number, config?: string, add?: boolean, samples?: boolean, prepare?: (library: string) => void }} [how] */
  async open({ seconds, config = '', add = true, samples = true, prepare } = {}) {
    const { chromium } = require('playwright-core');
    await this.world.start({
      samples,
      add,
      config,
      prepare: (library) => {
        if (samples) {
          writeAlbums(path.join(library, 'Music'), { seconds });
          writeNotes(path.join(library, 'Documents'));
        }
        prepare?.(library);
      },
    });
    if (add) await this.quiet();
    this.browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
    });
    return this;
  }

  get address() {
    return `http://127.0.0.1:${this.world.port}/`;
  }

  /** Waits until everything was read. */
  async quiet() {
    await until(async () => {
      const status = await this.world.client.status();
      return status.pending === 0 && status.scans.length === 0 && status.files > 0;
    }, 'the library is read', 90_000);
  }

  /**
   * A page of a person's own: nothing kept from another.
   * @param {{ phone?: boolean, dark?: boolean, at?: string, init?: () => void, bypassCSP?: boolean }} [how] `init` is run in the page before its own scripts
   * @returns {Promise<Page>}
   */
  async page({ phone = false, dark = false, at = '', init, bypassCSP = false } = {}) {
    const { devices } = require('playwright-core');
    const context = await this.browser.newContext({
      ...(phone ? devices['Pixel 7'] : DESK),
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      bypassCSP,
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      // a preview that is not there is 404 by contract, and Chromium says so in its console
      if (message.type() === 'error' && !/preview\/\d+/.test(message.location().url)) this.complaints.push(`${message.text()} ${message.location().url}`);
    });
    if (init) await page.addInitScript(init);
    await page.goto(this.address + at);
    await page.waitForSelector('main');
    return page;
  }

  /** A picture of what is shown. @param {Page} page @param {string} name */
  async shot(page, name) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
  }

  /** Violations of axe-core's rules, in words. @param {Page} page @returns {Promise<string[]>} */
  async axe(page) {
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    return page.evaluate(async () => {
      // @ts-expect-error axe is the script's
      const { violations } = await axe.run(document, { resultTypes: ['violations'] });
      return violations.flatMap((/** @type {any} */ each) => each.nodes.map((/** @type {any} */ node) => `${each.id}: ${node.target.join(' ')}: ${node.failureSummary}`));
    });
  }

  async close() {
    await this.browser?.close();
    await this.world.remove();
  }
}


export { REPOSITORY, until };
