/** Pictures, films, uploads, moves, duplicates in the page, before the real server, daemon and files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { writeCopies, writeFilms, writePictures } from './films.js';
import { skip, Stage, until } from './harness.js';

/** @typedef {import('playwright-core').Page} Page */

const HOSTILE = `<img src=x onerror="hacked=1">'&amp;.jpg`;
const PICTURES = 40;

describe('pictures, films and care', { skip, timeout: 900_000 }, () => {
  const stage = new Stage();
  const at = (/** @type {string[]} */ ...parts) => path.join(stage.world.library, ...parts);
  before(() =>
    stage.open({
      prepare: (library) => {
        writePictures(path.join(library, 'Photos', 'Own'), PICTURES);
        writeCopies(path.join(library, 'Photos', 'Own'), path.join(library, 'incoming', 'old phone'), 2);
        writeFilms(path.join(library, 'Films'));
        mkdirSync(path.join(library, 'odd'));
        const [year = ''] = readdirSync(path.join(library, 'Photos', 'Own'));
        const [name = ''] = readdirSync(path.join(library, 'Photos', 'Own', year));
        // another picture: some bytes behind the end of the image
        writeFileSync(path.join(library, 'odd', HOSTILE), readFileSync(path.join(library, 'Photos', 'Own', year, name)));
        writeFileSync(path.join(library, 'odd', `${HOSTILE}.flac`), `fLaC${'x'.repeat(6000)}`);
      },
    }),
  );
  after(() => stage.close());
  afterEach(() => assert.deepEqual(stage.complaints.splice(0), []));

  /** @param {string} where @param {Parameters<Stage['page']>[0]} [how] */
  const open = (where, how) => stage.page({ ...how, at: `#/${where}` });
  /** @param {string} q */
  const found = async (q) => (await stage.world.json(`/search?q=${encodeURIComponent(q)}`)).items[0];
  /** @param {Page} page */
  const viewer = (page) => page.locator('.viewer');
  /** What stands for "3 of 40". @param {Page} page */
  const placeOf = async (page) => /(\d+) of (\d+)/.exec((await viewer(page).locator('header small').textContent()) ?? '')?.slice(1).map(Number) ?? [];

  test('a picture comes in, is found, tagged, rated, moved by a plan, and the move is taken back', async () => {
    const picture = path.join(tmpdir(), `mediadb-upload-${process.pid}.jpg`);
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=900x600:d=1', '-frames:v', '1', picture]);
    const page = await open('upload');
    await page.getByLabel('Files to upload').setInputFiles([{ name: 'Evening at the quay.jpg', mimeType: 'image/jpeg', buffer: readFileSync(picture) }]);
    await page.getByText('In the library').waitFor({ timeout: 60_000 });
    assert.ok(existsSync(at('incoming', 'Evening at the quay.jpg')));

    await page.keyboard.press('Control+k');
    await page.keyboard.type('evening quay kind:image');
    const cell = page.getByRole('option', { name: /Evening at the quay/ }).or(page.getByRole('button', { name: /Evening at the quay/ })).or(page.getByRole('row', { name: /Evening at the quay/ }));
    await cell.first().waitFor();
    await page.waitForURL(/kind%3Aimage/); // the last letters are asked
    await page.goto(`${stage.address}#/photos`);
    const photo = page.getByRole('option', { name: /Evening at the quay/ });
    await page.getByRole('listbox', { name: 'Photos' }).press('End');
    await photo.click();
    await viewer(page).waitFor();
    await page.keyboard.press('4');
    await page.keyboard.press('l');
    await page.keyboard.press('t');
    await page.getByRole('combobox', { name: 'Add a tag' }).fill('Harbour');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove tag Harbour' }).waitFor();
    await page.keyboard.press('Escape');
    await until(async () => {
      const item = await found('tag:Harbour');
      return item?.rating === 4 && item.starred === true;
    }, 'the server has the work');

    await page.keyboard.press('Shift+M');
    const dialog = page.getByRole('dialog', { name: 'Move Evening at the quay.jpg' });
    await dialog.getByRole('list', { name: 'Folders' }).getByRole('button').first().click();
    await dialog.getByLabel('A new folder in it').fill('Sorted/Harbours');
    await dialog.getByRole('button', { name: 'Show the plan' }).click();
    await dialog.getByRole('cell', { name: 'Sorted/Harbours/Evening at the quay.jpg' }).waitFor();
    assert.ok(existsSync(at('incoming', 'Evening at the quay.jpg')), 'a plan moves nothing');
    await dialog.getByRole('button', { name: 'Move 1 file' }).click();
    await until(() => existsSync(at('Sorted', 'Harbours', 'Evening at the quay.jpg')), 'it is moved');
    await page.getByText('Evening at the quay.jpg moved').waitFor();
    await page.locator('.toast', { hasText: 'moved' }).getByRole('button', { name: 'Undo' }).click();
    await until(() => existsSync(at('incoming', 'Evening at the quay.jpg')), 'it is back');
    assert.ok(!existsSync(at('Sorted', 'Harbours', 'Evening at the quay.jpg')));
    // the file is back a moment before the index says so
    await until(async () => (await found('tag:Harbour'))?.rating === 4, 'the work stays with it');

    await page.goto(`${stage.address}#/operations`);
    await page.getByText('undone').first().waitFor();
    await page.context().close();
  });

  test('a lost connection is gone on with, and what was dropped anywhere comes in', async () => {
    const page = await open('upload');
    let lost = 0;
    await page.route('**/uploads/*', async (route) => {
      if (route.request().method() !== 'PATCH' || lost > 0) return route.continue();
      lost += 1;
      await route.abort('connectionreset');
    });
    const size = 3_000_000;
    await page.getByLabel('Files to upload').setInputFiles([{ name: 'long notes.txt', mimeType: 'text/plain', buffer: Buffer.alloc(size, 'All work. ') }]);
    await page.getByRole('listitem').filter({ hasText: 'long notes.txt' }).getByText('In the library').waitFor({ timeout: 60_000 });
    assert.equal(lost, 1);
    assert.equal(readFileSync(at('incoming', 'long notes.txt')).length, size);
    stage.complaints.splice(0); // the connection that was lost

    await page.goto(`${stage.address}#/albums`);
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['dropped '.repeat(900)], 'dropped.txt', { type: 'text/plain' }));
      for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    });
    await page.getByText('1 file on the way').waitFor();
    await until(() => existsSync(at('incoming', 'dropped.txt')), 'it came in', 30_000);
    await page.context().close();
  });

  test('the viewer is driven by keys', async () => {
    const page = await open('photos');
    const grid = page.getByRole('listbox', { name: 'Photos' });
    await grid.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await viewer(page).waitFor();
    const [place = 0, of = 0] = await placeOf(page);
    assert.equal(place, 2);
    assert.ok(of >= PICTURES);
    await page.keyboard.press('ArrowRight');
    assert.equal((await placeOf(page))[0], 3);
    await page.keyboard.press('ArrowLeft');
    assert.equal((await placeOf(page))[0], 2);
    await page.keyboard.press('End');
    assert.equal((await placeOf(page))[0], of);
    await page.keyboard.press('Home');
    assert.equal((await placeOf(page))[0], 1);
    await page.locator('.viewer img.fine').first().waitFor();
    const scale = () => page.locator('.viewer img.fine').first().evaluate((image) => Number(/scale\(([\d.]+)\)/.exec(/** @type {HTMLElement} */ (image).style.transform)?.[1]));
    await page.keyboard.press('z');
    assert.equal(await scale(), 2.5);
    await page.keyboard.press('z');
    assert.equal(await scale(), 1);
    await page.keyboard.press('i');
    await page.getByRole('complementary', { name: 'Details' }).getByText('date_taken').or(page.getByText('camera_model')).first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary', { name: 'Details' }).waitFor({ state: 'detached' });
    assert.ok(await viewer(page).isVisible(), 'Escape closes one thing at a time');
    await page.keyboard.press('Escape');
    await viewer(page).waitFor({ state: 'detached' });
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Photos'), 'the focus is where it was');

    await page.keyboard.press('Enter');
    await viewer(page).waitFor();
    await page.goBack();
    await viewer(page).waitFor({ state: 'detached' });
    assert.match(page.url(), /#\/photos$/);
    await page.context().close();
  });

  test('months, years and the scrubber', async () => {
    const page = await open('photos?show=photos');
    const slider = page.getByRole('slider', { name: 'Month' });
    await slider.waitFor();
    const first = await slider.getAttribute('aria-valuetext');
    assert.match(first ?? '', /20\d\d/);
    await slider.focus();
    await page.keyboard.press('End');
    const { buckets } = await stage.world.json(`/timeline?unit=year&q=${encodeURIComponent('kind:image has:camera')}`);
    const oldest = buckets.at(-1).date;
    await until(async () => (await slider.getAttribute('aria-valuetext'))?.includes(oldest), 'the oldest month');
    await page.locator('.month', { hasText: oldest }).first().waitFor();
    await page.keyboard.press('ArrowUp');
    await until(async () => !(await slider.getAttribute('aria-valuetext'))?.includes(oldest), 'a step back');
    await page.keyboard.press('Home');
    await until(async () => (await slider.getAttribute('aria-valuetext')) === first, 'the newest month');
    await page.context().close();
  });

  test('places, without a map', async () => {
    const page = await open('places');
    await page.getByRole('heading', { name: 'Norway' }).waitFor();
    await page.getByRole('link', { name: /Bergen/ }).click();
    await page.getByRole('heading', { name: /^Bergen/ }).waitFor();
    const { count } = await stage.world.json(`/search?count=1&limit=1&q=${encodeURIComponent('city=Bergen')}`);
    await page.getByRole('heading', { name: `Bergen ${count}` }).waitFor();
    await page.context().close();
  });

  test('a film is played, gone on with, and remuxed where a browser takes its pictures only so', async () => {
    const walk = await found('kind:video weir');
    const page = await open(`film/${walk.id}`);
    const video = page.locator('.film-player video');
    const time = () => video.evaluate((each) => /** @type {HTMLVideoElement} */ (each).currentTime);
    await page.locator('.film-begin').click();
    await until(async () => (await time()) > 0.5, 'it plays');
    await page.getByRole('slider', { name: 'Place in the film' }).evaluate((each) => {
      /** @type {HTMLInputElement} */ (each).value = '20';
      for (const type of ['input', 'change']) each.dispatchEvent(new Event(type, { bubbles: true }));
    });
    await until(async () => (await time()) > 20, 'it goes on there');
    await page.keyboard.press('Space');
    await until(async () => Math.abs(((await found('kind:video weir')).bookmark?.position ?? 0) - 20.5) < 4, 'the place is kept');
    await page.reload();
    await page.getByRole('button', { name: /Go on at 0:2/ }).click();
    await until(async () => (await time()) > 20, 'it goes on where it was left');
    await page.getByRole('link', { name: 'Films' }).first().click();
    await page.getByRole('option', { name: /A Walk to the Weir/ }).getByText(/% seen/).waitFor();

    const train = await found('kind:video night');
    await page.goto(`${stage.address}#/film/${train.id}`);
    await page.locator('.film-begin').click();
    await until(async () => (await time()) > 0.5, 'the remux plays');
    assert.match(await video.evaluate((each) => /** @type {HTMLVideoElement} */ (each).src), /format=remux/);

    const reel = await found('kind:video reel');
    await page.goto(`${stage.address}#/film/${reel.id}`);
    await page.getByRole('alert').filter({ hasText: 'mpeg4' }).waitFor();
    stage.complaints.splice(0); // the refusal of the remux
    await page.context().close();
  });

  test('names, tags and titles are text, whatever is in them', async () => {
    const evil = `<script>hacked=1</script>"'><img src=x onerror=hacked=1>`;
    const odd = (await stage.world.json(`/search?q=${encodeURIComponent('path:odd kind:image')}`)).items[0];
    assert.equal(odd.name, HOSTILE);
    await stage.world.json(`/file/${odd.id}/tags`, { method: 'PATCH', body: { add: [evil] } });
    await stage.world.json(`/file/${odd.id}/fields`, { method: 'PATCH', body: { title: evil, city: evil, country: evil } });
    const page = await open('photos');
    for (const where of ['photos', 'search?q=path%3Aodd', 'places', 'duplicates', 'activity', 'operations', 'folders', 'playlists', '']) {
      await page.goto(`${stage.address}#/${where}`);
      await page.waitForLoadState('networkidle');
      assert.equal(await page.evaluate('globalThis.hacked'), undefined, where);
    }
    await page.goto(`${stage.address}#/activity`);
    await page.getByText(`${HOSTILE}.flac`).first().waitFor();
    await page.goto(`${stage.address}#/operations`);
    await page.getByText('<script>', { exact: false }).first().waitFor();
    await page.goto(`${stage.address}#/photos`);
    await page.getByRole('listbox', { name: 'Photos' }).press('End');
    const cells = page.getByRole('option', { name: evil });
    await page.getByRole('listbox', { name: 'Photos' }).press('Home');
    await page.evaluate((id) => {
      location.hash = `#/search?q=id:${id}`;
    }, odd.id);
    await page.getByText(evil).or(cells).first().waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate('globalThis.hacked'), undefined);
    await stage.world.json('/undo', { method: 'POST', body: { count: 2 } });
    await page.context().close();
  });

  test('copies that are meant stay meant, over a reload and a restart of daemon and server', async () => {
    const page = await open('duplicates');
    const group = page.locator('.group', { hasText: 'Copy of' }).first();
    await group.waitFor({ timeout: 60_000 });
    const name = (await group.locator('legend').textContent())?.split(' ')[0] ?? '';
    const before = await page.locator('.group').count();
    await group.getByRole('button', { name: 'Keep all' }).click();
    await page.getByText(/All 2 of .* are kept|All 3 of .* are kept/).waitFor();
    const gone = async () => {
      await page.locator('.group').first().waitFor({ timeout: 60_000 });
      assert.equal(await page.locator('.group').count(), before - 1);
      assert.equal(await page.locator('.group', { hasText: `${name} ` }).filter({ hasText: 'Copy of' }).count(), 0);
    };
    await page.reload();
    await gone();
    await stage.world.daemon.stop();
    await stage.world.daemon.start();
    await stage.world.stopServer();
    await stage.world.serve();
    await page.goto(`${stage.address}#/duplicates`);
    await gone();
    stage.complaints.splice(0); // what the browser says of the server that was away

    // the others of a group go to a folder, by a plan; nothing is deleted
    const other = page.locator('.group', { hasText: 'Copy of' }).first();
    await other.getByRole('button', { name: /^Move the other/ }).click();
    const dialog = page.getByRole('dialog', { name: /out of the way/ });
    await dialog.getByRole('list', { name: 'Folders' }).getByRole('button').first().click();
    await dialog.getByLabel('A new folder in it').fill('Doubles');
    await dialog.getByRole('button', { name: 'Show the plan' }).click();
    await dialog.getByRole('button', { name: /^Move \d+ file/ }).click();
    await until(() => existsSync(at('Doubles')) && readdirSync(at('Doubles')).length > 0, 'they are moved');
    await page.context().close();
  });

  test('a view that is opened while the daemon is away shows itself when it is back', async () => {
    const page = await open('folders');
    await page.locator('.folder-card').first().waitFor();
    await stage.world.daemon.stop();
    await page.getByText('mediad is not running').first().waitFor();
    await page.goto(`${stage.address}#/places`);
    await page.getByRole('alert').first().waitFor();
    await page.goto(`${stage.address}#/photos`);
    await page.waitForTimeout(500);
    await stage.world.daemon.start();
    await page.getByRole('option').first().waitFor({ timeout: 60_000 });
    await page.goto(`${stage.address}#/places`);
    await page.getByRole('heading', { name: 'Norway' }).waitFor();
    await page.getByText('mediad is not running').first().waitFor({ state: 'hidden' });
    stage.complaints.splice(0); // what was refused meanwhile
    await page.context().close();
  });

  test('every view is whole on desk and phone, light and dark', async (t) => {
    const walk = await found('kind:video weir');
    const words = await found('kind:document bread');
    const views = {
      photos: 'photos', places: 'places', place: 'place?country=Norway', films: 'films', film: `film/${walk.id}`, documents: 'documents', document: `document/${words.id}`,
      duplicates: 'duplicates', upload: 'upload', activity: 'activity', operations: 'operations', docs: 'docs', settings: 'settings', folders: 'settings/library', persons: 'settings/persons', about: 'settings/about',
    }; // prettier-ignore
    for (const form of ['desk', 'desk-dark', 'phone', 'phone-dark']) {
      const page = await open('', { phone: form.startsWith('phone'), dark: form.endsWith('dark') });
      for (const [name, where] of Object.entries(views)) {
        await page.goto(`${stage.address}#/${where}`);
        await page.waitForLoadState('networkidle');
        await page.locator('.loading').waitFor({ state: 'detached' });
        // what an address behind the # asks for begins after it was gone to
        await page.waitForTimeout(250);
        await page.waitForLoadState('networkidle');
        assert.deepEqual(await stage.axe(page), [], `${name}, ${form}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${name}, ${form}: ${wide} pixels too wide`);
        await stage.shot(page, `${name}-${form}`);
      }
      await page.goto(`${stage.address}#/photos`);
      await page.getByRole('option').first().click();
      await page.locator('.viewer img.fine:not(.coming)').first().waitFor();
      assert.deepEqual(await stage.axe(page), [], `viewer, ${form}`);
      await stage.shot(page, `viewer-${form}`);
      await page.keyboard.press('i');
      await page.getByRole('complementary', { name: 'Details' }).getByText('Fields').waitFor();
      assert.deepEqual(await stage.axe(page), [], `viewer with details, ${form}`);
      await stage.shot(page, `viewer-details-${form}`);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Shift+M');
      const dialog = page.getByRole('dialog', { name: /^Move/ });
      await dialog.getByRole('list', { name: 'Folders' }).getByRole('button').first().click();
      await dialog.getByLabel('A new folder in it').fill('Sorted');
      await dialog.getByRole('button', { name: 'Show the plan' }).click();
      await dialog.getByRole('table').waitFor();
      assert.deepEqual(await stage.axe(page), [], `plan, ${form}`);
      await stage.shot(page, `plan-${form}`);
      await page.context().close();
    }
    t.diagnostic(`${Object.keys(views).length + 3} views in 4 forms`);
  });
});
