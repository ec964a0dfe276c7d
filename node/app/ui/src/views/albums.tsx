/** All albums, by what one looks for. */
import { AlbumGrid } from '../components/albums';
import { type Order, OrderSelect } from '../components/choosers';
import { Problem } from '../components/states';
import { reread } from '../list/live';
import { usePaged } from '../list/paged';
import { ask, place } from '../router';
import type { Album } from '../types';

const SORTS: Order[] = [
  ['name', 'Name'],
  ['artist', 'Artist'],
  ['-year', 'Newest year first'],
  ['year', 'Oldest year first'],
  ['added', 'Added last'],
  ['recent', 'Played last'],
  ['frequent', 'Played most'],
  ['rating', 'Best rated'],
  ['random', 'At random'],
];

export default function Albums() {
  const { query } = place.value;
  const sort = query.get('sort') ?? 'artist';
  const starred = query.get('starred') === '1';
  const genre = query.get('genre') ?? undefined;
  const decade = Number(query.get('decade')) || undefined;
  const parameters = { sort, starred, genre, year_from: decade, year_to: decade && decade + 9 };
  const albums = usePaged<Album>('/albums', 'albums', parameters, reread.value);
  const decades = Array.from({ length: 8 }, (_, each) => 2020 - each * 10);
  const narrowed = starred || genre !== undefined || decade !== undefined;
  const head = (
    <header class="view-head">
      <h1>Albums</h1>
      {genre && (
        <button class="chip" aria-pressed="true" onClick={() => ask({ genre: null })}>
          {genre} ×
        </button>
      )}
      <button class="chip" aria-pressed={starred} onClick={() => ask({ starred: !starred })}>
        ♥ Starred
      </button>
      <label>
        <span class="hidden">Decade</span>
        <select value={decade ?? ''} onChange={(event) => ask({ decade: event.currentTarget.value })}>
          <option value="">All years</option>
          {decades.map((each) => (
            <option key={each} value={each}>
              {each}s
            </option>
          ))}
        </select>
      </label>
      <OrderSelect orders={SORTS} chosen={sort} />
    </header>
  );
  if (albums.wrong) return <Problem wrong={albums.wrong} />;
  return (
    <AlbumGrid
      albums={albums}
      before={head}
      below={(album) => [album.artist, /year/.test(sort) && album.year].filter(Boolean).join(' · ')}
      empty={<p class="empty">{narrowed ? 'No album is so.' : 'There are no albums yet: songs with an album in their tags make them.'}</p>}
    />
  );
}
