/** What opening an item of a list does, by its kind. Views that show a kind put themselves here (routes.ts). */
import { get } from './api';
import { openDetails } from './details';
import { peek } from './items';
import { allOf, type Source } from './list/source';
import { playNow } from './player/queue';
import { go, href } from './router';
import { report } from './toasts';
import type { Album, Artist, Item, Kind } from './types';

type Opener = (source: Source, at: number) => void;

export const openers: Partial<Record<Kind, Opener>> = {
  // play from here: the list is the queue
  audio: (source, at) => void allOf(source).then((ids) => playNow(ids, at)),
};

export function openItem(source: Source, at: number): void {
  const id = source.id(at);
  const kind = peek(id)?.kind;
  const opener = kind && openers[kind];
  if (opener) opener(source, at);
  else openDetails(id);
}

/** To the album that a song is on; without one, to songs that name it. */
export async function goAlbum(song: Item): Promise<void> {
  try {
    const { albums } = await get<{ albums: Album[] }>('/albums', { q: `id:${song.id}`, limit: 1 });
    go(albums[0] ? href(['album', albums[0].id]) : href(['search'], { q: `album=${JSON.stringify(song.album)}` }));
  } catch (wrong) {
    report(wrong);
  }
}

export async function goArtist(song: Item): Promise<void> {
  try {
    const { artists } = await get<{ artists: Artist[] }>('/artists', { q: `id:${song.id}`, all: true, limit: 1 });
    go(artists[0] ? href(['artist', artists[0].id]) : href(['search'], { q: `artist=${JSON.stringify(song.artist)}` }));
  } catch (wrong) {
    report(wrong);
  }
}
