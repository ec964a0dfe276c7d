/** Before `npm pack`: the contract's files and the types of messages into the package; with --clean they go again. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';

const here = (path) => new URL(`../${path}`, import.meta.url);

rmSync(here('contract'), { recursive: true, force: true });
rmSync(here('types'), { recursive: true, force: true });
if (!process.argv.includes('--clean')) {
  mkdirSync(here('contract'));
  mkdirSync(here('types'));
  cpSync(here('../../proto/mediadb.proto'), here('contract/mediadb.proto'));
  cpSync(here('../../proto/mediadb_contract/fields.json'), here('contract/fields.json'));
  cpSync(here('src/messages.d.ts'), here('types/messages.d.ts'));
}
