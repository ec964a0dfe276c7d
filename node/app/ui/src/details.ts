/** Whose details are shown beside the page. The panel itself is loaded when it is first wanted (views/details.tsx). */
import { signal } from '@preact/signals';

export const detailed = signal<string | null>(null);

export function openDetails(id: string): void {
  detailed.value = id;
}
export function closeDetails(): void {
  detailed.value = null;
}
