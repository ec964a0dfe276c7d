/** Albums as covers: on the page of an artist, of all albums, at the start. */
import { songsOf } from '../actions';
import { change } from '../api';
import { VirtualGrid } from '../list/virtual';
import type { Paged } from '../list/paged';
import { enqueue, playNext, playNow, playShuffled } from '../player/queue';
import { href } from '../router';
import { mayWrite } from '../session';
import { done, report } from '../toasts';
import type { Album } from '../types';
import { openAddTo } from './dialogs';
import { Cover } from './cover';
import { openMenu, type Entry } from './menu';
import type { ComponentChildren } from 'preact';
import '../styles/music.css';

export function albumMenu(album: Album, onStar?: (starred: boolean) => void): (Entry | null)[] {
  const songs = (then: (ids: string[]) => void) => () => void songsOf([album.id]).then(then, report);
  const entries: (Entry | null)[] = [
    { label: 'Play', icon: 'play', run: songs(playNow) },
    { label: 'Shuffle', icon: 'shuffle', run: songs(playShuffled) },
    { label: 'Play next', icon: 'next', run: songs(playNext) },
    { label: 'Add to the queue', icon: 'queue', run: songs(enqueue) },
  ];
  if (mayWrite.value) {
    entries.push(null, { label: 'Add to a list …', icon: 'playlist', run: songs(openAddTo) });
    if (onStar)
      entries.push({
        label: album.starred ? 'Take the star away' : 'Star',
        icon: 'heart',
        run: () => void starOf('album', album, !album.starred).then((is) => onStar(is)),
      });
  }
  entries.push({ label: 'Download as ZIP', icon: 'download', run: () => location.assign(`./download.zip?q=${encodeURIComponent(`id:${album.id} kind:audio`)}`) });
  return entries;
}

/** Stars an album or artist; answers what holds afterwards. */
export async function starOf(kind: 'album' | 'artist', of: { id: string; name: string }, starred: boolean): Promise<boolean> {
  try {
    const { operation } = await change(starred ? 'PUT' : 'DELETE', `/${kind}/${of.id}/star`);
    done(`${of.name}: ${starred ? 'starred' : 'no longer starred'}`, operation);
    return starred;
  } catch (wrong) {
    report(wrong);
    return !starred;
  }
}

interface CardProps {
  album: Album;
  /** what stands below the name; default: the artist */
  below?: string | undefined;
  onStar?: (starred: boolean) => void;
}

export function AlbumCard({ album, below, onStar }: CardProps) {
  const menu = (x: number, y: number) => openMenu(album.name, albumMenu(album, onStar), { x, y });
  return (
    <div
      class="album-card"
      onContextMenu={(event) => {
        event.preventDefault();
        menu(event.clientX, event.clientY);
      }}
    >
      <a href={href(['album', album.id])}>
        <Cover id={album.cover} size={320} of="album" />
        <b>
          {album.name}
          {album.starred && ' ♥'}
        </b>
        <small>{below ?? album.artist}</small>
      </a>
      <button class="play-over" aria-label={`Play ${album.name}`} onClick={() => void songsOf([album.id]).then((ids) => playNow(ids), report)}>
        ▶
      </button>
    </div>
  );
}

/** A grid of any number of albums. */
export function AlbumGrid({ albums, before, empty, below }: { albums: Paged<Album>; before?: ComponentChildren; empty?: ComponentChildren; below?: (album: Album) => string | undefined }) {
  return (
    <VirtualGrid
      class="padded"
      count={albums.all.length}
      cell={160}
      gap={22}
      below={50}
      before={before}
      after={!albums.all.length && !albums.more ? (empty ?? <p class="empty">No albums.</p>) : undefined}
      body={{ class: 'albums', role: 'group', 'aria-label': 'Albums' }}
      render={(at) => {
        if (at >= albums.all.length - 30) albums.next();
        const album = albums.all[at]!;
        return (
          <AlbumCard
            key={album.id}
            album={album}
            below={below?.(album)}
            onStar={(starred) => albums.patch((each) => (each.id === album.id ? { ...each, starred } : each))}
          />
        );
      }}
    />
  );
}

/** One row that is pushed sideways. */
export function AlbumRow({ albums, below }: { albums: readonly Album[]; below?: (album: Album) => string | undefined }) {
  return (
    <div class="album-row" role="group" aria-label="Albums" tabIndex={0}>
      {albums.map((each) => (
        <AlbumCard key={each.id} album={each} below={below?.(each)} />
      ))}
    </div>
  );
}
