// The browser of the page's tests: unpacks the Chromium that the npm package @sparticuz/chromium carries (argument 1: its
// folder) into argument 2, and writes a script `chromium` there that starts it with the libraries and fonts beside it, for
// machines that have none and where none may be installed. x86-64 only, as the package is.
import { createReadStream, createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

const [carrier, into] = process.argv.slice(2);
if (!into) throw new Error('usage: browser.mjs PACKAGE FOLDER');
const bin = join(carrier, 'bin');

/** Unpacks a .tar.br below `into`. */
async function unpack(name) {
  const tar = spawn('tar', ['-x', '-C', into], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(tar, 'close');
  await pipeline(createReadStream(join(bin, name)), createBrotliDecompress(), tar.stdin);
  const [code] = await ended;
  if (code) throw new Error(`tar ended with ${code} on ${name}`);
}

mkdirSync(into, { recursive: true });
await Promise.all(['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'].map(unpack));
const program = join(into, 'chromium-program');
await pipeline(createReadStream(join(bin, 'chromium.br')), createBrotliDecompress(), createWriteStream(program, { mode: 0o755 }));
// the package's own names folders of the place that it was made for
writeFileSync(
  join(into, 'fonts.conf'),
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir prefix="relative">fonts</dir>
<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
);
const script = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/lib" FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chromium-program" --headless "$@"
`;
// last, and at once: where the script is, all of it is
writeFileSync(join(into, 'chromium.new'), script, { mode: 0o755 });
renameSync(join(into, 'chromium.new'), join(into, 'chromium'));
