/** Where pictures and films were taken: countries, their regions and cities, without a map. */
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { many } from '../format';
import { reread } from '../list/live';
import { useFetched } from '../list/paged';
import { href } from '../router';
import '../styles/photos.css';

interface Place {
  country: string;
  state?: string;
  city: string;
  count: number;
  cover?: string;
}

/** Groups in the order of their first. */
function by<T>(all: readonly T[], key: (each: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(key(each), [...(groups.get(key(each)) ?? []), each]);
  return [...groups];
}

const total = (all: readonly Place[]) => all.reduce((sum, each) => sum + each.count, 0);

export default function Places() {
  const { value, wrong, again } = useFetched<{ places: Place[] }>('/places', {}, reread.value);
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const countries = by(value.places, (each) => each.country);
  return (
    <div class="page">
      <header class="view-head flush">
        <h1>Places</h1>
        <span class="faint">{value.places.length > 0 && [many(countries.length, 'country', 'countries'), many(value.places.length, 'city', 'cities')].join(', ')}</span>
      </header>
      {!value.places.length && (
        <div class="empty">
          <Icon name="pin" />
          <p>No picture says where it was taken yet. The names are those in the files: country, region and city of IPTC or XMP.</p>
        </div>
      )}
      <div class="place-list">
        {countries.map(([country, cities]) => (
          <section key={country}>
            <header>
              <h2>
                <a href={href(['place'], { country })}>{country}</a>
              </h2>
              <small>{many(total(cities), 'picture')}</small>
              <span class="regions">
                {by(
                  cities.filter((each) => each.state),
                  (each) => each.state!,
                ).map(([state, inside]) => (
                  <a key={state} class="chip" href={href(['place'], { country, state })}>
                    {state} <small>{total(inside)}</small>
                  </a>
                ))}
              </span>
            </header>
            <ul class="place-grid">
              {cities.map((each) => (
                <li key={`${each.state} ${each.city}`}>
                  <a class="place-card" href={href(['place'], { country, state: each.state, city: each.city })}>
                    <Cover id={each.cover} size={320} of="image" />
                    <span class="says">
                      <b>{each.city}</b>
                      <small>{[each.state, many(each.count, 'picture')].filter(Boolean).join(' · ')}</small>
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  );
}
