/** A hundred thousand items in one list, as rows of a library without the files (bench/rows.py): what is drawn, what it costs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PYTHON, REPOSITORY } from '../../../client/test/daemon.js';
import { skip, Stage, until } from './harness.js';

const FILES = 100_000;
const NODES = 250;
const FRAMES = 90;

describe('a hundred thousand', { skip, timeout: 900_000 }, () => {
  const stage = new Stage();
  before(async () => {
    await stage.open({ samples: false, add: false });
    const dsn = `host=${stage.world.daemon.data}/cluster/run user=mediadb dbname=mediadb`;
    const filled = spawnSync(PYTHON, [path.join(REPOSITORY, 'bench', 'rows.py'), dsn, String(FILES)], { cwd: REPOSITORY, encoding: 'utf8', timeout: 600_000 });
    assert.equal(filled.status, 0, filled.stderr);
  });
  after(() => stage.close());

  /**
   * Scrolls by so many pixels a frame and answers the milliseconds of processor that the page took a frame, as the browser
   * counts them: a busy machine makes frames late, not dearer.
   * @param {import('playwright-core').Page} page @param {number} step
   */
  async function scroll(page, step) {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const spent = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      return 1000 * (metrics.find((/** @type {any} */ each) => each.name === 'TaskDuration')?.value ?? 0);
    };
    const began = await spent();
    const most = await page.evaluate(
      async ({ step, frames }) => {
        const view = /** @type {HTMLElement} */ (document.querySelector('.scroller'));
        let most = 0;
        for (let each = 0; each < frames; each += 1) {
          view.scrollTop += step;
          await new Promise((next) => requestAnimationFrame(next));
          most = Math.max(most, view.querySelectorAll('[role=grid] *, [role=group] *').length);
        }
        return most;
      },
      { step, frames: FRAMES },
    );
    return { cost: ((await spent()) - began) / FRAMES, most };
  }

  test('is shown with few elements, and scrolls as a short list does', async (t) => {
    const page = await stage.page({ at: `#/search?kind=audio&q=${encodeURIComponent('genre:jazz limit:300')}` });
    const grid = page.getByRole('grid');
    await until(async () => Number(await grid.getAttribute('aria-rowcount')) === 300, 'a short list');
    await page.waitForLoadState('networkidle');
    await scroll(page, 40); // warm
    const short = await scroll(page, -40);

    const all = await stage.world.json('/collections', { method: 'POST', body: { kind: 'collection', name: 'everything', query: 'kind:audio,image,video,document' } });
    await page.goto(`${stage.address}#/list/${all.id}`);
    const began = performance.now();
    await page.locator('.row b').first().waitFor();
    const first = performance.now() - began;
    await until(async () => Number(await grid.getAttribute('aria-rowcount')) >= FILES, 'all have come', 60_000);
    const whole = performance.now() - began;
    const length = await grid.getAttribute('aria-rowcount');
    await scroll(page, 40);
    const near = await scroll(page, -40);
    const far = await scroll(page, 50_000);
    t.diagnostic(`${length} items; the first row after ${Math.round(first)} ms, all ids after ${Math.round(whole)} ms`);
    t.diagnostic(`elements at most: short ${short.most}, long ${near.most}, flying ${far.most}`);
    t.diagnostic(`processor a frame against a list of 300: long ${(near.cost / short.cost).toFixed(2)}, flying ${(far.cost / short.cost).toFixed(2)} (${short.cost.toFixed(1)} ms)`);
    for (const { most } of [short, near, far]) assert.ok(most <= NODES, `${most} elements`);
    assert.ok(near.cost < 3 * short.cost + 2, 'a long list costs what a short one does');

    // its end is really its end
    await grid.focus();
    await page.keyboard.press('End');
    await page.locator(`[aria-rowindex="${length}"] b`).filter({ hasText: /\S/ }).waitFor();
    assert.deepEqual(await stage.axe(page), []);
    const heap = await page.evaluate('performance.memory.usedJSHeapSize');
    t.diagnostic(`heap ${Math.round(Number(heap) / 1e6)} MB`);
    await page.context().close();
  });

  test('all of it is worked on at once', async () => {
    const page = await stage.page({ at: '#/search?kind=audio&q=genre%3Ajazz' });
    const grid = page.getByRole('grid');
    await until(async () => Number(await grid.getAttribute('aria-rowcount')) > 3000, 'all have come', 60_000);
    await grid.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('5');
    await page.getByText('items: ★★★★★').waitFor({ timeout: 60_000 });
    const { count } = await stage.world.json(`/search?count=1&limit=1&q=${encodeURIComponent('kind:audio genre:jazz rating:5')}`);
    assert.equal(count, Number(await grid.getAttribute('aria-rowcount')));
    await page.context().close();
  });

  test('pictures by month are as few elements, wherever one is', async (t) => {
    const page = await stage.page({ at: '#/photos?show=films' });
    const { count } = await stage.world.json(`/search?count=1&limit=1&q=${encodeURIComponent('kind:image,video')}`);
    await page.locator('.photo').first().waitFor();
    await until(async () => (await page.getByRole('heading', { level: 1 }).textContent())?.includes(count.toLocaleString('en')), 'all have come', 60_000);
    let most = 0;
    for (const each of ['Home', 'PageDown', 'PageDown', 'End', 'PageUp']) {
      await page.getByRole('slider', { name: 'Month' }).press(each);
      await page.waitForTimeout(300);
      most = Math.max(most, await page.locator('.photos *').count());
    }
    const { cost } = await scroll(page, -900);
    t.diagnostic(`${count} pictures and films: ${most} elements at most, ${cost.toFixed(1)} ms of processor a frame`);
    assert.ok(most <= NODES, `${most} elements`);
    await page.context().close();
  });

  test('albums are a grid of which little is drawn', async (t) => {
    const page = await stage.page({ at: '#/albums' });
    await page.locator('.album-card').first().waitFor();
    const { most } = await scroll(page, 120);
    t.diagnostic(`elements at most: ${most}`);
    // 42 cards in sight, of eight elements each where there is no cover
    assert.ok(most <= 350, `${most} elements`);
    await page.context().close();
  });
});
