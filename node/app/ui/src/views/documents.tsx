/** Documents in one list of any length. */
import { type Filter, FilterChips, filterOf, type Order, OrderSelect } from '../components/choosers';
import { ItemList } from '../components/itemlist';
import { count } from '../format';
import { useMatches } from '../list/live';
import { openItem } from '../open';
import { ask, place } from '../router';
import '../styles/care.css';

const FILTERS: Filter[] = [
  ['', 'All', ''],
  ['pdf', 'PDF', ' format:pdf'],
  ['books', 'Books', ' format:epub'],
  ['starred', 'Starred', ' starred:yes'],
];

const SORTS: Order[] = [
  ['title', 'Title'],
  ['-added', 'Added last'],
  ['-date', 'Newest'],
  ['-size', 'Largest'],
];

export default function Documents() {
  const sort = place.value.query.get('sort') ?? 'title';
  const filter = place.value.query.get('show') ?? '';
  const words = place.value.query.get('words') ?? '';
  const term = filterOf(FILTERS, filter)[2];
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
          <FilterChips filters={FILTERS} chosen={filter} />
          <OrderSelect orders={SORTS} chosen={sort} />
          <label class="words">
            <span class="hidden">Words in them</span>
            <input type="search" placeholder="Words in them" value={words} maxLength={200} onChange={(event) => ask({ words: event.currentTarget.value || null })} />
          </label>
        </header>
      }
    />
  );
}
