/** All artists, by their letters. */
import { useMemo, useRef } from 'preact/hooks';
import { Problem } from '../components/states';
import { Icon } from '../components/icons';
import { count, many } from '../format';
import { reread } from '../list/live';
import { usePaged } from '../list/paged';
import { type Scroller, VirtualGrid } from '../list/virtual';
import { ask, href, place } from '../router';
import type { Artist } from '../types';
import '../styles/music.css';

/** The letter that a name is under: without accents, anything that is no letter under #. */
export function letterOf(name: string): string {
  const first = name.normalize('NFD').replace(/[^\p{L}\p{N}]/gu, '').slice(0, 1).toUpperCase();
  return /\p{L}/u.test(first) ? first : '#';
}

export default function Artists() {
  const starred = place.value.query.get('starred') === '1';
  const everybody = place.value.query.get('all') === '1';
  const artists = usePaged<Artist>('/artists', 'artists', { sort: 'name', starred, all: everybody }, reread.value);
  // the index needs them all, and a name is short
  if (artists.more && artists.all.length) artists.next();
  const control = useRef<Scroller>(null);
  const columns = useRef<number>(1);
  const letters = useMemo(() => {
    const found = new Map<string, number>();
    artists.all.forEach((each, at) => {
      const letter = letterOf(each.sort_name ?? each.name);
      if (!found.has(letter)) found.set(letter, at);
    });
    return [...found];
  }, [artists.all]);
  if (artists.wrong) return <Problem wrong={artists.wrong} />;
  return (
    <div class="with-index">
      <VirtualGrid
        class="padded"
        count={artists.all.length}
        cell={260}
        gap={10}
        aspect={0}
        below={64}
        control={control}
        columns={columns}
        before={
          <header class="view-head">
            <h1>Artists</h1>
            <span class="faint">{count(artists.all.length)}</span>
            <button class="chip" aria-pressed={starred} onClick={() => ask({ starred: !starred })}>
              ♥ Starred
            </button>
            <button class="chip" aria-pressed={everybody} title="Also those who are only on single songs" onClick={() => ask({ all: !everybody })}>
              Everybody
            </button>
          </header>
        }
        after={!artists.all.length && !artists.more ? <p class="empty">{starred ? 'No artist is starred.' : 'There are no artists yet.'}</p> : undefined}
        body={{ class: 'artists', role: 'group', 'aria-label': 'Artists' }}
        render={(at) => {
          const artist = artists.all[at]!;
          return (
            <a key={artist.id} class="artist-card" href={href(['artist', artist.id])}>
              <span class="initial" aria-hidden="true" data-hue={hue(artist.name)}>
                {letterOf(artist.sort_name ?? artist.name)}
              </span>
              <span>
                <b>
                  {artist.name}
                  {artist.starred && <span class="hearted"> ♥</span>}
                </b>
                <small>{[artist.albums && many(artist.albums, 'album'), many(artist.songs, 'song')].filter(Boolean).join(', ')}</small>
              </span>
            </a>
          );
        }}
      />
      {letters.length > 1 && (
        <nav class="letters" aria-label="Letters">
          {letters.map(([letter, at]) => (
            <button key={letter} onClick={() => control.current?.reveal(at)}>
              {letter}
            </button>
          ))}
        </nav>
      )}
      {artists.more && artists.all.length > 0 && (
        <p class="hidden" role="status">
          <Icon name="clock" /> More are coming
        </p>
      )}
    </div>
  );
}

/** One of eight colours, always the same for a name. */
export function hue(name: string): number {
  let sum = 0;
  for (const each of name) sum = (sum * 31 + each.codePointAt(0)!) % 8191;
  return sum % 8;
}
