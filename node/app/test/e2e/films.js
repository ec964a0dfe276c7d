/** Pictures, films and copies of our own making for the page's tests: Pillow draws, ffmpeg films. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DRAW = fileURLToPath(new URL('pictures.py', import.meta.url));

/** @param {string} folder @param {number} number */
export function writePictures(folder, number) {
  if (!existsSync(folder)) execFileSync(process.env.MEDIADB_PYTHON || 'python3', [DRAW, folder, String(number)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** @param {string[]} argv */
const ffmpeg = (...argv) => execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...argv], { stdio: ['ignore', 'ignore', 'inherit'] });

/**
 * Films: one that browsers play, one whose container and sound they do not take, one whose pictures they do not.
 * @param {string} folder
 */
export function writeFilms(folder, seconds = 40) {
  mkdirSync(folder, { recursive: true });
  /** @param {string} name @param {string} picture @param {string[]} codecs */
  const film = (name, picture, ...codecs) => {
    const file = path.join(folder, name);
    const title = name.replace(/\.[^.]*$/, '');
    if (!existsSync(file)) ffmpeg('-f', 'lavfi', '-i', `${picture}:s=640x360:r=12:d=${seconds}`, '-f', 'lavfi', '-i', `sine=330:d=${seconds}`, ...codecs, '-metadata', `title=${title}`, '-shortest', file);
  };
  film('A Walk to the Weir.mp4', 'gradients=c0=0x26495c:c1=0xc4a35a:n=2:speed=0.02', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '24', '-c:a', 'aac', '-movflags', '+faststart');
  film('Night Train.mkv', 'gradients=c0=0x101820:c1=0x7a3b2e:n=2:speed=0.03', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '24', '-c:a', 'ac3');
  film('Old Reel.avi', 'gradients=c0=0x3f5f45:c1=0xdde5b6:n=2:speed=0.02', '-c:v', 'mpeg4', '-q:v', '6', '-c:a', 'libmp3lame');
}

/** Copies of the first pictures of a folder under other names, as phones and hands make them. @param {string} from @param {string} to */
export function writeCopies(from, to, number = 3) {
  mkdirSync(to, { recursive: true });
  const found = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jpg')).sort();
  for (const name of found.slice(0, number)) copyFileSync(path.join(from, name), path.join(to, `Copy of ${path.basename(name)}`));
}
