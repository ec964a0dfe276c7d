/** Documents in one list of any length. */
import { ItemList } from '../components/itemlist';
import { count } from '../format';
import { useMatches } from '../list/live';
import { openItem } from '../open';
import { ask, place } from '../router';
import '../styles/care.css';

const FILTERS: [string, string, string][] = [
  ['', 'All', ''],
  ['pdf', 'PDF', ' format:pdf'],
  ['books', 'Books', ' format:epub'],
  ['starred', 'Starred', ' starred:yes'],
];

const SORTS: [string, string][] = [
  ['title', 'Title'],
  ['-added', 'Added last'],
  ['-date', 'Newest'],
  ['-size', 'Largest'],
];

export default function Documents() {
  const sort = place.value.query.get('sort') ?? 'title';
  const filter = place.value.query.get('show') ?? '';
  const words = place.value.query.get('words') ?? '';
  const term = (FILTERS.find((each) => each[0] === filter) ?? FILTERS[0]!)[2];
  const source = useMatches(`kind:document${term}${words.trim() ? ` text:${JSON.stringify(words.trim().replace(/["\\]/g, ' '))}` : ''}`, sort);
  return (
    <ItemList
      source={source}
      label="Documents"
      onOpen={(at) => openItem(source, at)}
      empty={<p class="empty">{filter || words ? 'No document like that.' : 'No documents yet.'}</p>}
      before={
        <header class="view-head">
          <h1>
            Documents <small class="faint">{count(source.length)}</small>
          </h1>
          <div class="chips" role="group" aria-label="What is shown">
            {FILTERS.map(([name, label]) => (
              <button key={name} class="chip" aria-pressed={filter === name} onClick={() => ask({ show: name || null })}>
                {label}
              </button>
            ))}
          </div>
          <label>
            <span class="hidden">Order</span>
            <select value={sort} onChange={(event) => ask({ sort: event.currentTarget.value })}>
              {SORTS.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <label class="words">
            <span class="hidden">Words in them</span>
            <input type="search" placeholder="Words in them" value={words} maxLength={200} onChange={(event) => ask({ words: event.currentTarget.value || null })} />
          </label>
        </header>
      }
    />
  );
}
