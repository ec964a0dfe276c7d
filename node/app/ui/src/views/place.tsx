/** The pictures of one city, region or country, by month. */
import { useEffect } from 'preact/hooks';
import { count } from '../format';
import { useMatches } from '../list/live';
import { PhotoGrid } from '../photo/grid';
import { Scrubber } from '../photo/scrubber';
import { useSections } from '../photo/timeline';
import { openViewer } from '../photo/viewing';
import { href, place } from '../router';

const PARTS = ['country', 'state', 'city'] as const;
/** As a question names them: `state` there is that of a file in the library (docs/query.md). */
const ASKED = { country: 'country', state: 'province', city: 'city' };

/** A value whole, as a question has it (docs/query.md): quotes and backslashes are no letters there. */
const quoted = (value: string) => `"${value.replace(/["\\]/g, ' ')}"`;

export default function Place() {
  const { query } = place.value;
  const named = PARTS.flatMap((part) => (query.get(part) ? [[part, query.get(part)!] as const] : []));
  const question = named.map(([part, value]) => `${ASKED[part]}=${quoted(value)}`).join(' ') || 'has:country';
  const source = useMatches(question, '-date');
  const sections = useSections(question, source.length, source);
  const title = named.at(-1)?.[1] ?? 'All places';
  useEffect(() => {
    document.title = `${title} · mediadb`;
  }, [title]);
  return (
    <PhotoGrid
      source={source}
      sections={sections}
      label={title}
      onOpen={(at) => openViewer(source, at)}
      beside={(walker) => <Scrubber {...walker} />}
      before={
        <header class="view-head">
          <div class="path-head">
            <nav class="crumbs" aria-label="Places above">
              <a href="#/places">Places</a>
              {named.slice(0, -1).map(([part, value], at) => (
                <span key={part}>
                  {' / '}
                  <a href={href(['place'], Object.fromEntries(named.slice(0, at + 1)))}>{value}</a>
                </span>
              ))}
            </nav>
            <h1>
              {title} <small class="faint">{count(source.length)}</small>
            </h1>
          </div>
        </header>
      }
    />
  );
}
