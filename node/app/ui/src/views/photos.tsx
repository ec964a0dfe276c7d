/** Pictures by month, newest first, with the years at the edge. */
import { signal } from '@preact/signals';
import { type Filter, FilterChips, filterOf } from '../components/choosers';
import { keep, kept } from '../kept';
import { useMatches } from '../list/live';
import { PhotoGrid } from '../photo/grid';
import { Scrubber } from '../photo/scrubber';
import { useSections } from '../photo/timeline';
import { openViewer } from '../photo/viewing';
import { count } from '../format';
import { place } from '../router';

/** What is shown: a camera's pictures are photos; covers and drawings have none. */
const FILTERS: Filter[] = [
  ['', 'Everything', 'kind:image'],
  ['photos', 'Photos', 'kind:image has:camera'],
  ['films', 'With films', 'kind:image,video'],
  ['starred', 'Starred', 'kind:image,video starred:yes'],
  ['rated', 'Four stars and more', 'kind:image,video rating:>=4'],
];

/** Least width of a picture in pixels on a desk and on a phone. */
const SIZES: Record<string, [number, number]> = { Small: [112, 76], Middle: [168, 104], Large: [264, 170] };
const size = signal(kept('photos.size', 'Middle'));

export default function Photos() {
  const filter = place.value.query.get('show') ?? '';
  const question = filterOf(FILTERS, filter)[2];
  const source = useMatches(question, '-date');
  const sections = useSections(question, source.length, source);
  const [desk, phone] = SIZES[size.value] ?? SIZES.Middle!;
  return (
    <PhotoGrid
      source={source}
      sections={sections}
      label="Photos"
      onOpen={(at) => openViewer(source, at)}
      cell={matchMedia('(max-width: 760px)').matches ? phone : desk}
      beside={(walker) => <Scrubber {...walker} />}
      empty={
        <div class="empty">
          <p>{filter ? 'Nothing of that kind.' : 'No pictures yet. They show here as soon as a folder with some is read.'}</p>
        </div>
      }
      before={
        <header class="view-head">
          <h1>
            Photos <small class="faint">{count(source.length)}</small>
          </h1>
          <FilterChips filters={FILTERS} chosen={filter} />
          <div class="sizes" role="group" aria-label="Size of the pictures">
            {Object.keys(SIZES).map((each) => (
              <button
                key={each}
                aria-pressed={size.value === each}
                aria-label={each}
                onClick={() => {
                  size.value = each;
                  keep('photos.size', each);
                }}
              >
                {each.slice(0, 1)}
              </button>
            ))}
          </div>
        </header>
      }
    />
  );
}
