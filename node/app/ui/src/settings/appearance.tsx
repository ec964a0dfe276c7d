import { theme, type Theme } from '../theme';

const THEMES: [Theme, string][] = [
  ['auto', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function Appearance() {
  return (
    <fieldset class="radios">
      <legend>Theme</legend>
      {THEMES.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name="theme"
            checked={theme.value === value}
            onChange={() => {
              theme.value = value;
            }}
          />
          {label}
        </label>
      ))}
      <p class="faint">Kept in this browser. The keys that hold in each view are shown by ?.</p>
    </fieldset>
  );
}
