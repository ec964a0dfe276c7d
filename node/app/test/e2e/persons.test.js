/** Settings: the first person closes the open house, app passwords, sessions, and what a role sees. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { skip, Stage, until } from './harness.js';

/** @typedef {import('playwright-core').Page} Page */

describe('persons', { skip, timeout: 600_000 }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  /** @param {Page} page @param {string} name @param {string} password */
  async function login(page, name, password) {
    await page.locator('input[name=name]').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('.shell').waitFor();
  }
  /** @param {Page} page @param {string} name @param {string} role @param {string} password */
  async function add(page, name, role, password) {
    await page.locator('input[name=name]').fill(name);
    await page.locator('select[name=role]').selectOption(role);
    await page.getByLabel('Password, 8 characters at least').fill(password);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
  }

  test('the first person, a key, a reader', async () => {
    const page = await stage.page({ at: '#/settings/persons' });
    await page.getByText('Nobody has an account yet').waitFor();
    assert.equal(await page.locator('select[name=role]').inputValue(), 'admin');
    await add(page, 'ada', 'admin', 'short');
    assert.equal(await page.locator('.login').count(), 0, 'a short password is refused by the field');
    await add(page, 'ada', 'admin', 'a long password');
    await page.locator('.login').waitFor();
    assert.deepEqual(await stage.axe(page), [], 'login');
    await login(page, 'ada', 'a long password');

    await page.goto(`${stage.address}#/settings/keys`);
    await page.getByLabel('Name of the device or program').fill('Phone <b>');
    await page.getByRole('button', { name: 'Make one' }).click();
    const field = page.getByLabel('App password Phone <b>');
    const secret = await field.inputValue();
    assert.ok(secret.length >= 20);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    assert.deepEqual(await stage.axe(page), [], 'keys');
    await stage.shot(page, 'keys-desk');
    const bearer = { headers: { authorization: `Bearer ${secret}` } };
    assert.equal((await stage.world.ask('/search?q=kind:audio', bearer)).status, 200);
    await page.reload();
    await page.getByText('Phone <b>').waitFor();
    assert.equal(await page.getByText(secret).count(), 0, 'shown once');
    assert.equal(await field.count(), 0);

    await page.goto(`${stage.address}#/settings/persons`);
    await page.getByText('ada (you)').waitFor();
    await add(page, 'kim', 'read', 'another password');
    await page.getByText('kim', { exact: true }).waitFor();
    assert.deepEqual(await stage.axe(page), [], 'persons');
    await stage.shot(page, 'persons-two-desk');

    await page.goto(`${stage.address}#/settings/keys`);
    await page.getByRole('button', { name: 'Remove Phone <b>' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await until(async () => (await stage.world.ask('/search?q=kind:audio', bearer)).status === 401, 'the key is worth nothing');
    await page.context().close();
  });

  test('a reader sees nothing that a reader may not do', async () => {
    const page = await stage.page();
    await login(page, 'kim', 'another password');
    const side = page.getByRole('navigation', { name: 'Library' });
    await side.getByRole('link', { name: 'Photos' }).waitFor();
    assert.equal(await side.getByRole('link', { name: 'Upload' }).count(), 0);
    await page.goto(`${stage.address}#/settings`);
    assert.equal(await page.getByRole('link', { name: 'Persons' }).count(), 0);
    await page.goto(`${stage.address}#/settings/library`);
    await page.locator('.rows-of li').first().waitFor();
    assert.equal(await page.getByRole('button', { name: /Take|Look through|Add it/ }).count(), 0);

    await page.goto(`${stage.address}#/photos`);
    const first = page.getByRole('option').first();
    await first.click({ button: 'right' });
    const menu = page.getByRole('menu');
    await menu.getByRole('menuitem', { name: 'Download' }).waitFor();
    assert.equal(await menu.getByRole('menuitem', { name: /Star|Tags|Rate|Add to a list|Move/ }).count(), 0);
    await page.keyboard.press('Escape');
    await first.click();
    const viewer = page.locator('.viewer');
    await viewer.waitFor();
    assert.equal(await viewer.locator('header').getByRole('button', { name: /Star|Tags/ }).count(), 0);
    assert.equal(await viewer.locator('.stars').count(), 0);
    for (const key of ['5', 'l', 't', 'Shift+M']) await page.keyboard.press(key);
    assert.equal(await page.getByRole('dialog', { name: /Tags|Move/ }).count(), 0);
    await page.keyboard.press('Escape');

    for (const [where, never] of /** @type {const} */ ([
      ['duplicates', /Keep all|Move the/],
      ['operations', /Undo/],
      ['activity', /Look for changes|Scan/],
      ['upload', /Choose files/],
    ])) {
      await page.goto(`${stage.address}#/${where}`);
      await page.waitForLoadState('networkidle');
      assert.equal(await page.getByRole('button', { name: never }).count(), 0, where);
    }
    const { items } = await stage.world.json('/search?q=rating:5', { headers: await cookie(page) });
    assert.equal(items.length, 0);

    await page.goto(`${stage.address}#/settings/sessions`);
    await page.getByText('(this one)').waitFor();
    await page.getByRole('button', { name: /this one/ }).click();
    await page.locator('.login').waitFor();
    await page.context().close();
  });

  /** @param {Page} page */
  async function cookie(page) {
    const [found] = (await page.context().cookies()).filter(({ name }) => name === 'mediadb_session');
    return { cookie: `mediadb_session=${found?.value}` };
  }

  test("one's own password", async () => {
    const page = await stage.page();
    await login(page, 'kim', 'another password');
    await page.goto(`${stage.address}#/settings/password`);
    const change = async (/** @type {string} */ now) => {
      await page.getByLabel('Password until now').fill(now);
      await page.getByLabel('New password, 8 characters at least').fill('a third password');
      await page.getByLabel('The same again').fill('a third password');
      await page.getByRole('button', { name: 'Change it' }).click();
    };
    await change('not this one');
    await page.getByRole('alert').filter({ hasText: /wrong/ }).waitFor();
    await page.goto(`${stage.address}#/settings/password`);
    await change('another password');
    await page.getByText('The password is changed').waitFor();
    await page.context().close();
    const again = await stage.page();
    await login(again, 'kim', 'a third password');
    await again.context().close();
  });
});
