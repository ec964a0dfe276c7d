/**
 * Music and pictures of our own making for the page's tests: tones with tags and drawn covers, by ffmpeg. Songs of one album
 * are one sine, cut: a gap between them can be heard, and measured.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Why there is no richer library, or ''. */
export function missingTools() {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return '';
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    return 'ffmpeg is missing (Debian: ffmpeg)';
  }
}

/** @typedef {{ artist: string, album: string, year: number, genre: string, form: 'flac' | 'mp3' | 'opus', songs: string[], colours: [string, string], seconds?: number }} Album */

/** @type {Album[]} */
export const ALBUMS = [
  { artist: 'Ada Lindqvist', album: 'Northern Rooms', year: 2014, genre: 'Ambient', form: 'flac', songs: ['Lantern', 'Slow Water', 'A House by the Sea', 'Frost', 'Kiruna'], colours: ['0x26495c', '0xc4a35a'] },
  { artist: 'Ada Lindqvist', album: 'Daylight Hours', year: 2019, genre: 'Ambient', form: 'mp3', songs: ['Morning, Seven', 'Windows', 'Noon', 'The Long Table'], colours: ['0xe5a36f', '0x5c3d46'] },
  { artist: 'The Copper Kettles', album: 'Live at the Mill', year: 1998, genre: 'Folk', form: 'mp3', songs: ["Miller's Reel", 'Black Bread', 'Rain on the Weir', 'Two Brothers', 'Goodnight, Mary', 'Encore'], colours: ['0x7a3b2e', '0xd9b48f'] },
  { artist: 'Orchid & Engine', album: 'Parallel', year: 2021, genre: 'Electronic', form: 'opus', songs: ['Boot', 'Parallel', 'Interlock', 'Signal, Lost'], colours: ['0x3b2a6b', '0x8fd3c8'] },
  { artist: 'Jun Arai Trio', album: 'Tea for Nobody', year: 1966, genre: 'Jazz', form: 'flac', songs: ['Blue Kettle', 'Tea for Nobody', 'Third Street', 'Waltz for Emi'], colours: ['0x18323f', '0xe0c98c'] },
  { artist: 'Émile Côté', album: 'Chansons d’hiver', year: 1983, genre: 'Chanson', form: 'mp3', songs: ['Décembre', 'La neige', 'Au revoir, Marie'], colours: ['0x93a8ac', '0x2b3a42'] },
  { artist: 'Björg Hansdóttir', album: 'Tún', year: 2008, genre: 'Folk', form: 'flac', songs: ['Vor', 'Sumar', 'Haust', 'Vetur'], colours: ['0x3f5f45', '0xdde5b6'] },
  { artist: 'Orchid & Engine', album: 'Serial', year: 2023, genre: 'Electronic', form: 'opus', songs: ['Start Bit', 'Parity', 'Stop Bit'], colours: ['0x101820', '0xf2aa4c'] },
]; // prettier-ignore

const CODECS = { flac: ['-c:a', 'flac'], mp3: ['-c:a', 'libmp3lame', '-b:a', '96k', '-id3v2_version', '3'], opus: ['-c:a', 'libopus', '-b:a', '48k'] };

/** @param {string[]} argv */
const ffmpeg = (...argv) => execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...argv], { stdio: ['ignore', 'ignore', 'inherit'] });

/**
 * Puts the albums below a folder. They are made once and kept in the system's folder of temporary files: each test of a
 * run has the same.
 * @param {string} folder
 * @param {{ seconds?: number }} [how] length of a song
 */
export function writeAlbums(folder, { seconds = 4 } = {}) {
  const recipe = createHash('sha256').update(JSON.stringify([ALBUMS, seconds, makeAlbums.toString()])).digest('hex').slice(0, 16);
  const kept = path.join(tmpdir(), `mediadb-test-music-${recipe}`);
  if (!existsSync(kept)) {
    const fresh = mkdtempSync(`${kept}-`);
    makeAlbums(fresh, seconds, ALBUMS);
    try {
      renameSync(fresh, kept);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOTEMPTY') throw error;
      rmSync(fresh, { recursive: true }); // another test was first
    }
  }
  cpSync(kept, folder, { recursive: true });
}

/** @param {string} folder @param {number} seconds @param {Album[]} albums */
function makeAlbums(folder, seconds, albums) {
  albums.forEach((each, place) => {
    const where = path.join(folder, each.artist, `${each.year} ${each.album}`);
    mkdirSync(where, { recursive: true });
    const cover = path.join(where, 'cover.jpg');
    const [ground, ink] = each.colours;
    // rings, bars or a disc, by turns: covers that can be told apart
    const shapes = [
      `drawbox=x=60:y=60:w=280:h=280:color=${ink}:t=24,drawbox=x=150:y=150:w=100:h=100:color=${ink}:t=fill`,
      Array.from({ length: 6 }, (_, bar) => `drawbox=x=${40 + bar * 56}:y=${60 + ((bar * 83) % 170)}:w=28:h=${320 - ((bar * 83) % 170)}:color=${ink}:t=fill`).join(','),
      `drawbox=x=0:y=230:w=400:h=170:color=${ink}:t=fill,drawbox=x=250:y=70:w=80:h=80:color=${ink}:t=fill`,
      `drawgrid=w=50:h=50:t=6:color=${ink}`,
    ];
    ffmpeg('-f', 'lavfi', '-i', `color=c=${ground}:s=400x400:d=1`, '-vf', shapes[place % shapes.length] ?? 'null', '-frames:v', '1', '-q:v', '4', cover);
    each.songs.forEach((title, at) => {
      const rate = each.form === 'opus' ? 48000 : 44100;
      // The wave goes on over the cut: its phase at the start is that of all samples before. A pitch that is no whole number
      // gives each song another phase, else two songs would be one payload, and so one item.
      const source = `aevalsrc=0.2*sin(2*PI*${220.137 + place * 20}*(t+${at * (each.seconds ?? seconds)})):s=${rate}:d=${each.seconds ?? seconds}`;
      const tags = { title, artist: each.artist, album_artist: each.artist, album: each.album, date: String(each.year), genre: each.genre, track: `${at + 1}/${each.songs.length}` };
      const file = path.join(where, `${String(at + 1).padStart(2, '0')} ${title}.${each.form}`);
      const named = Object.entries(tags).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]);
      const picture = each.form === 'opus' ? [] : ['-i', cover, '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-disposition:v', 'attached_pic'];
      ffmpeg('-f', 'lavfi', '-i', source, ...picture, ...CODECS[each.form], '-ac', '1', ...named, file);
    });
  });
}

/** Small files that say what they are, for lists of documents. @param {string} folder */
export function writeNotes(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries({
    'Recipe for rye bread.txt': 'Rye, water, salt, and two days of patience.\n',
    'Letters to the mill.md': '# Letters\n\nDear Mary, the weir is high again.\n',
  }))
    writeFileSync(path.join(folder, name), text);
}
