/** Light or dark: the system's choice, unless a person made one. */
import { effect, signal } from '@preact/signals';
import { keep, kept } from './kept';

export type Theme = 'auto' | 'light' | 'dark';

const chosen = kept('theme', 'auto');
export const theme = signal<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'auto');

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  keep('theme', theme.value);
});
