/** The README's example, run as it stands but for where the library is; and the package as npm makes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Daemon, REPOSITORY } from './daemon.js';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const daemon = new Daemon();
after(() => daemon.remove());

test('the example runs from the package that npm packs', async () => {
  const [{ filename, files }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', daemon.folder], {
      cwd: HERE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    }), // prettier-ignore
  );
  const names = files.map((each) => each.path);
  for (const name of ['src/index.js', 'types/index.d.ts', 'types/messages.d.ts', 'contract/mediadb.proto', 'contract/fields.json', 'README.md']) {
    assert.ok(names.includes(name), name);
  }
  const app = path.join(daemon.folder, 'app');
  const modules = path.join(app, 'node_modules');
  mkdirSync(modules, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(daemon.folder, filename), '-C', modules]);
  symlinkSync('package', path.join(modules, 'mediadb'));
  for (const name of ['protobufjs', 'long']) cpSync(path.join(HERE, 'node_modules', name), path.join(modules, name), { recursive: true });

  const library = path.join(daemon.folder, 'media');
  cpSync(path.join(REPOSITORY, 'samples'), library, { recursive: true });
  await daemon.start();
  const [, example] = readFileSync(path.join(HERE, 'README.md'), 'utf8').match(/```js\n(.*?)```/s);
  writeFileSync(path.join(app, 'example.mjs'), example.replaceAll('/srv/media', library));
  const out = execFileSync(process.execPath, ['example.mjs'], {
    cwd: app, encoding: 'utf8', env: { ...process.env, MEDIAD_SOCKET: daemon.socket }, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'],
  }); // prettier-ignore
  const lines = out.trim().split('\n');
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^[0-9a-f-]{36} full .*02 full\./);
  const client = daemon.client();
  assert.equal(await client.count('tag:halloween'), 1);
  client.close();

  // the types that an editor sees
  writeFileSync(path.join(app, 'check.mts'), `import { Client, type Item } from 'mediadb';
const client: Client = new Client();
const item: Item | null = (await client.get('/x'))[0].item;
const size: number = item!.files[0].size;
const time: bigint = item!.files[0].mtimeNs;
// @ts-expect-error: no such option
await client.count('x', { limt: size });
export { time };
`);
  const tsc = path.join(HERE, 'node_modules', 'typescript', 'bin', 'tsc');
  cpSync(path.join(HERE, 'node_modules', '@types'), path.join(modules, '@types'), { recursive: true });
  cpSync(path.join(HERE, 'node_modules', 'undici-types'), path.join(modules, 'undici-types'), { recursive: true });
  const checked = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', 'check.mts'];
  execFileSync(process.execPath, [tsc, ...checked], { cwd: app, stdio: ['ignore', 'inherit', 'inherit'] });
});
