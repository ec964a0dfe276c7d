/** Tags: those that are there, to be taken away, and a field that completes. WAI-ARIA APG, "Combobox". */
import { useRef, useState } from 'preact/hooks';
import { suggestTags, tag } from '../actions';
import { href } from '../router';
import { Icon } from './icons';

interface Props {
  tags: readonly string[];
  onAdd: (tag: string) => void;
  onRemove: (tag: string) => void;
  disabled?: boolean;
  autofocus?: boolean;
  /** what a tag leads to, if anything */
  href?: (tag: string) => string;
}

let boxes = 0;

export function TagEditor({ tags, onAdd, onRemove, disabled = false, autofocus = false, href }: Props) {
  const [text, setText] = useState('');
  const [offers, setOffers] = useState<string[]>([]);
  const [at, setAt] = useState(-1);
  const turn = useRef(0);
  const id = useRef('');
  if (!id.current) id.current = `tags-${(boxes += 1)}`;

  const type = async (value: string) => {
    setText(value);
    setAt(-1);
    const mine = (turn.current += 1);
    const found = value.trim() ? await suggestTags(value.trim()) : [];
    if (mine === turn.current) setOffers(found.filter((each) => !tags.includes(each)).slice(0, 8));
  };
  const add = (value: string) => {
    const tag = value.trim();
    if (tag && !tags.includes(tag)) onAdd(tag);
    turn.current += 1;
    setText('');
    setOffers([]);
    setAt(-1);
  };

  return (
    <div class="tags">
      {tags.map((each) => (
        <span class="tag" key={each}>
          {href ? <a href={href(each)}>{each}</a> : each}
          {!disabled && (
            <button aria-label={`Remove tag ${each}`} onClick={() => onRemove(each)}>
              <Icon name="close" />
            </button>
          )}
        </span>
      ))}
      {!disabled && (
        <span class="combo">
          <input
            role="combobox"
            aria-label="Add a tag"
            placeholder="Add a tag"
            aria-expanded={offers.length > 0}
            aria-controls={id.current}
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `${id.current}-${at}` : undefined}
            autocomplete="off"
            autofocus={autofocus}
            maxLength={200}
            value={text}
            onInput={(event) => void type(event.currentTarget.value)}
            onBlur={() => setOffers([])}
            onKeyDown={(event) => {
              if (event.key === 'Enter') add(offers[at] ?? text);
              else if (event.key === 'ArrowDown' && offers.length) setAt((at + 1) % offers.length);
              else if (event.key === 'ArrowUp' && offers.length) setAt((at - 1 + offers.length) % offers.length);
              else if (event.key === 'Escape' && offers.length) setOffers([]);
              else if (event.key === 'Backspace' && !text && tags.length) onRemove(tags[tags.length - 1]!);
              else return;
              event.preventDefault();
              event.stopPropagation();
            }}
          />
          <ul id={id.current} role="listbox" aria-label="Tags in use" hidden={!offers.length}>
            {offers.map((each, place) => (
              <li
                key={each}
                id={`${id.current}-${place}`}
                role="option"
                aria-selected={place === at}
                onPointerDown={(event) => {
                  event.preventDefault(); // the field keeps the focus
                  add(each);
                }}
              >
                {each}
              </li>
            ))}
          </ul>
        </span>
      )}
    </div>
  );
}

/** The tags of one item, each leading to all that have it. */
export const ItemTags = ({ id, tags = [], disabled }: { id: string; tags?: readonly string[]; disabled: boolean }) => (
  <TagEditor
    tags={tags}
    disabled={disabled}
    onAdd={(each) => void tag([id], [each])}
    onRemove={(each) => void tag([id], [], [each])}
    href={(each) => href(['search'], { q: `tag=${JSON.stringify(each)}` })}
  />
);
