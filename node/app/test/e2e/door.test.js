/** Coming in: a library that is empty yet, and persons with passwords. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { REPOSITORY, skip, Stage, until } from './harness.js';

describe('the door', { skip, timeout: 300_000 }, () => {
  const stage = new Stage();
  before(() => stage.open({ samples: false, add: false }));
  after(() => stage.close());

  test('an empty library asks for its first folder', async () => {
    cpSync(path.join(REPOSITORY, 'samples', 'Music'), path.join(stage.world.library, 'Music'), { recursive: true });
    const page = await stage.page();
    await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    assert.deepEqual(await stage.axe(page), []);
    await stage.shot(page, 'first-desk');
    await page.getByLabel('Folder on the server').fill('/there/is/none');
    await page.getByRole('button', { name: 'Add this folder' }).click();
    await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
    stage.complaints.splice(0); // the refusal
    await page.getByLabel('Folder on the server').fill(stage.world.library);
    await page.getByRole('button', { name: 'Add this folder' }).click();
    await page.getByRole('heading', { name: 'New albums' }).waitFor({ timeout: 60_000 });
    assert.deepEqual(stage.complaints.splice(0), []);
    await page.context().close();
  });

  test('persons come in by name and password, and may what their role allows', async () => {
    const { client } = stage.world;
    await client.call('account', { action: 'create', name: 'mira', role: 'admin', password: 'seven green bottles' });
    await client.call('account', { action: 'create', name: 'guest', role: 'read', password: 'on the wall, hanging' });
    // the server remembers for some seconds that nobody had an account
    await until(async () => (await stage.world.json('/session')).open === false, 'the open door is shut');
    for (const phone of [false, true]) {
      const page = await stage.page({ phone, dark: phone });
      await page.getByRole('button', { name: 'Log in' }).waitFor();
      assert.deepEqual(await stage.axe(page), []);
      await stage.shot(page, `login-${phone ? 'phone-dark' : 'desk'}`);
      await page.context().close();
    }
    const page = await stage.page();
    await page.getByLabel('Name').fill('guest');
    await page.getByLabel('Password').fill('not this');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('do not belong together').waitFor();
    await page.getByLabel('Password').fill('on the wall, hanging');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'New albums' }).waitFor();
    await page.goto(`${stage.address}#/songs`);
    await page.locator('.row[aria-rowindex="1"]').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Play', exact: true }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: /Star|Tags|Rate/ }).count(), 0);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^guest/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await page.getByLabel('Name').fill('mira');
    await page.getByLabel('Password').fill('seven green bottles');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('.row[aria-rowindex="1"]').click();
    await page.keyboard.press('5');
    await until(async () => (await client.queryPage('rating:5', { actor: 'mira' })).items.length === 1, 'it is her rating');
    await page.context().close();
  });
});
