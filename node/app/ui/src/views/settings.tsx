/** Settings, each under an address of its own: the person, persons, keys, folders, appearance, about. */
import type { ComponentType } from 'preact';
import { href } from '../router';
import type { ViewProps } from '../routes';
import { About } from '../settings/about';
import { Keys, Sessions } from '../settings/access';
import { Appearance } from '../settings/appearance';
import { Library } from '../settings/library';
import { Password, Persons } from '../settings/persons';
import { isAdmin, session } from '../session';
import '../styles/care.css';
import '../styles/settings.css';

interface Part {
  name: string;
  title: string;
  shown: () => boolean;
  Is: ComponentType;
}

const person = () => Boolean(session.value?.user);
const PARTS: Part[] = [
  { name: 'appearance', title: 'Appearance', shown: () => true, Is: Appearance },
  { name: 'password', title: 'Password', shown: person, Is: Password },
  { name: 'keys', title: 'App passwords', shown: person, Is: Keys },
  { name: 'sessions', title: 'Sessions', shown: person, Is: Sessions },
  { name: 'persons', title: 'Persons', shown: () => isAdmin.value && session.value?.features.accounts !== false, Is: Persons },
  { name: 'library', title: 'Folders', shown: () => true, Is: Library },
  { name: 'about', title: 'About', shown: () => true, Is: About },
];

export default function Settings({ parts: [name = 'appearance'] }: ViewProps) {
  const parts = PARTS.filter((each) => each.shown());
  const part = parts.find((each) => each.name === name);
  return (
    <div class="page">
      <div class="narrow-page">
        <header class="view-head flush">
          <h1>Settings</h1>
        </header>
        <nav class="chips" aria-label="Settings">
          {parts.map((each) => (
            <a key={each.name} class="chip" href={href(['settings', each.name])} aria-current={each.name === name ? 'page' : undefined}>
              {each.title}
            </a>
          ))}
        </nav>
        {part ? (
          <section class="setting" aria-labelledby="setting">
            <h2 id="setting">{part.title}</h2>
            <part.Is />
          </section>
        ) : (
          <p class="empty">There is no such setting for you.</p>
        )}
      </div>
    </div>
  );
}
