/** A walk through the page: what a person does, before the real server and daemon. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { skip, Stage, until } from './harness.js';

describe('the page', { skip, timeout: 600_000 }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());
  afterEach(() => {
    const complaints = stage.complaints.splice(0);
    assert.deepEqual(complaints, []);
  });

  /** @param {string} where @param {Parameters<Stage['page']>[0]} [how] */
  const open = (where, how) => stage.page({ ...how, at: `#/${where}` });
  /** What the server has of an item found by a question. @param {string} q */
  const found = async (q) => (await stage.world.json(`/search?fields=1&q=${encodeURIComponent(q)}`)).items[0];
  /** @param {import('playwright-core').Page} page @param {string} title */
  const row = (page, title) => page.getByRole('row', { name: title });

  test('searches as one types, by kind, and narrows', async () => {
    const page = await open('');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('north');
    await page.getByRole('heading', { name: 'Songs' }).waitFor();
    await row(page, 'Slow Water').waitFor();
    assert.match(page.url(), /#\/search\?q=north$/);
    await page.getByRole('button', { name: /^Songs 5/ }).click();
    assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '5');
    await page.getByRole('complementary', { name: 'Narrow down' }).getByRole('button', { name: /Ambient/ }).click();
    await until(() => page.url().includes('genre'), 'the question is narrowed');
    await page.context().close();
  });

  test('points at a mistake in a question, and completes a field', async () => {
    const page = await open('');
    const field = page.getByRole('combobox', { name: 'Search everything' });
    await field.fill('kind:audio yeer:2003');
    await page.getByRole('alert').waitFor();
    assert.equal(await page.locator('mark').textContent(), 'yeer:2003');
    stage.complaints.splice(0); // the refusal is in the browser's console too
    await field.fill('genr');
    await page.getByRole('option', { name: /^genre/ }).first().waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    assert.match(await field.inputValue(), /^genre/);
    await until(() => stage.complaints.length >= 0, 'console');
    stage.complaints.splice(0);
    await page.context().close();
  });

  test('keeps a question, and a list in an order of its own', async () => {
    const page = await open('search?q=genre%3AFolk');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByLabel('Name').fill('Folk songs');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Folk songs' }).waitFor();
    await row(page, 'Black Bread').waitFor();

    await page.goto(`${stage.address}#/songs`);
    await row(page, 'Slow Water').click();
    await row(page, 'Kiruna').click({ modifiers: ['Shift'] });
    await page.getByRole('region', { name: 'What is chosen' }).getByRole('button', { name: 'Add to a list' }).click();
    await page.getByRole('button', { name: 'A new playlist' }).click();
    await page.getByLabel('Name').fill('Evening');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('Evening made').waitFor();
    await page.goto(`${stage.address}#/playlists`);
    await page.getByRole('link', { name: /Evening/ }).click();
    await row(page, 'Slow Water').waitFor();
    const titles = () => page.locator('.row b').allTextContents();
    assert.deepEqual(await titles(), ['Slow Water', 'A House by the Sea', 'Frost', 'Kiruna']);
    await row(page, 'Slow Water').click();
    await page.keyboard.press('Alt+ArrowDown');
    await page.getByText('Moved to place 2').waitFor();
    await until(async () => (await stage.world.client.collections({ name: 'Evening', entries: true }))[0]?.entries.length === 4, 'saved');
    assert.deepEqual((await titles()).slice(0, 2), ['A House by the Sea', 'Slow Water']);
    await row(page, 'Frost').click();
    await page.keyboard.press('Delete');
    await page.getByText('1 item taken out of Evening').waitFor();
    assert.equal((await titles()).length, 3);
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await until(async () => (await titles()).length === 4, 'and back');
    await page.context().close();
  });

  test('rates, stars and tags by keys and for many, and takes it back', async () => {
    const page = await open('songs');
    await row(page, 'Lantern').click();
    await page.keyboard.press('4');
    await until(async () => (await found('title="Lantern"')).rating === 4, 'the rating is kept');
    await row(page, 'Lantern').getByText('★★★★').waitFor();
    await page.keyboard.press('l');
    await until(async () => (await found('title="Lantern"')).starred === true, 'the star is kept');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('t');
    await page.getByRole('combobox', { name: 'Add a tag' }).fill('winter');
    await page.keyboard.press('Enter');
    await until(async () => (await stage.world.json('/search?q=tag:winter&count=1')).count === 3, 'three are tagged');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+z');
    await until(async () => (await stage.world.json('/search?q=tag:winter&count=1')).count === 0, 'and no more');
    await page.context().close();
  });

  test('shows what others do, without a reload', async () => {
    const page = await open('songs');
    await row(page, 'Noon').waitFor();
    const { id } = await found('title="Noon"');
    await stage.world.client.rate(id, 5);
    await row(page, 'Noon').getByText('★★★★★').waitFor();
    await page.context().close();
  });

  test('has every field with its source, checksums, history', async () => {
    const page = await open('search?q=waltz&kind=audio');
    await row(page, 'Waltz for Emi').click();
    await page.keyboard.press('i');
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByText('Tea for Nobody').first().waitFor();
    await panel.getByRole('button', { name: 'Compute' }).click();
    await panel.getByText(/^[0-9a-f]{64}$/).waitFor();
    await panel.getByRole('button', { name: 'Set title' }).click();
    await page.getByLabel('Value').fill('Waltz for Emi (take 2)');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await until(async () => (await found('album="Tea for Nobody" track:4')).title === 'Waltz for Emi (take 2)', 'the title is kept');
    await page.getByRole('button', { name: 'Undo' }).click();
    await until(async () => (await found('album="Tea for Nobody" track:4')).title === 'Waltz for Emi', 'and as in the file again');
    await page.context().close();
  });

  test('is worked with keys alone', async () => {
    const page = await open('');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'To the content');
    await page.keyboard.press('g');
    await page.keyboard.press('b');
    await page.getByRole('heading', { name: 'Albums' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    const grid = page.getByRole('grid', { name: 'Songs' });
    await grid.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const active = await grid.getAttribute('aria-activedescendant');
    assert.match(active ?? '', /-2$/);
    await page.keyboard.press('Control+a');
    await page.getByRole('region', { name: 'What is chosen' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+F10');
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'menuitem');
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('is without faults for those who hear or enlarge it, in every view', async (t) => {
    const { albums } = await stage.world.json('/albums?limit=200');
    const album = albums.find((/** @type {any} */ each) => each.name === 'Northern Rooms');
    const { artists } = await stage.world.json('/artists');
    const { folders } = await stage.world.json('/folders');
    const { collections } = await stage.world.json('/collections');
    const views = {
      start: '',
      search: 'search?q=north',
      songs: 'songs',
      'search-songs': 'search?q=a&kind=audio',
      'search-pictures': 'search?q=&kind=image',
      mistake: 'search?q=yeer%3A2003',
      artists: 'artists',
      artist: `artist/${artists[0].id}`,
      albums: 'albums',
      album: `album/${album.id}`,
      genres: 'genres',
      genre: 'genre/Ambient',
      folders: 'folders',
      folder: `folders/${folders[0].id}`,
      lists: 'playlists',
      list: `list/${collections[0].id}`,
      nowhere: 'nowhere',
    };
    for (const [form, how] of Object.entries({ desk: {}, 'desk-dark': { dark: true }, phone: { phone: true }, 'phone-dark': { phone: true, dark: true } })) {
      const page = await open('', how);
      for (const [name, where] of Object.entries(views)) {
        await page.goto(`${stage.address}#/${where}`);
        await page.waitForLoadState('networkidle');
        await page.locator('.loading').waitFor({ state: 'detached' });
        assert.deepEqual(await stage.axe(page), [], `${name}, ${form}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${name}, ${form}: ${wide} pixels too wide`);
        await stage.shot(page, `${name}-${form}`);
      }
      await page.context().close();
      t.diagnostic(`${form}: ${Object.keys(views).length} views`);
    }
    stage.complaints.splice(0); // the mistaken question's refusal
  });

  test('says when the daemon is away, and goes on by itself', async () => {
    const page = await open('songs');
    await row(page, 'Noon').waitFor();
    await stage.world.daemon.stop();
    await page.getByText('mediad is not running').waitFor();
    await stage.world.daemon.start();
    await page.getByText('mediad is not running').waitFor({ state: 'hidden' });
    await row(page, 'Noon').click();
    await page.keyboard.press('3');
    await until(async () => (await found('title="Noon"')).rating === 3, 'and works');
    stage.complaints.splice(0);
    await page.context().close();
  });
});
