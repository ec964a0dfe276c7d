/** Ratings: five stars as one group of radio buttons, so that arrows and screen readers work by themselves. */
import { useRef } from 'preact/hooks';

interface Props {
  value: number | undefined;
  onRate: (rating: number) => void;
  label?: string;
  disabled?: boolean;
}

let groups = 0;

export function Stars({ value = 0, onRate, label = 'Rating', disabled = false }: Props) {
  const name = useRef('');
  if (!name.current) name.current = `stars-${(groups += 1)}`;
  return (
    <fieldset class="stars" disabled={disabled}>
      <legend class="hidden">{label}</legend>
      {[1, 2, 3, 4, 5].map((each) => (
        <label key={each} class={each <= value ? 'on' : ''} title={each === value ? 'Press again to take it away' : `${each} of 5`}>
          <input
            type="radio"
            name={name.current}
            checked={each === value}
            aria-label={each === 1 ? '1 star' : `${each} stars`}
            onChange={() => onRate(each)}
            onClick={() => {
              if (each === value) onRate(0);
            }}
          />
          <span aria-hidden="true">★</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The same to be read only, as one word. */
export const starText = (value: number | undefined) => (value ? '★★★★★'.slice(0, value) : '');
