/** What lists are narrowed and ordered by, in the head of a view; what is chosen stands in the address. */
import { ask } from '../router';

/** Name in the address ('' for all), what people read, and what is asked. */
export type Filter = readonly [name: string, label: string, question: string];
/** Keys as of `sort:`, and what people read. */
export type Order = readonly [keys: string, label: string];

/** The filter of that name; the first where there is none. */
export const filterOf = (filters: readonly Filter[], name: string): Filter => filters.find((each) => each[0] === name) ?? filters[0]!;

export function FilterChips({ filters, chosen }: { filters: readonly Filter[]; chosen: string }) {
  return (
    <div class="chips" role="group" aria-label="What is shown">
      {filters.map(([name, label]) => (
        <button key={name} class="chip" aria-pressed={chosen === name} onClick={() => ask({ show: name || null })}>
          {label}
        </button>
      ))}
    </div>
  );
}

export function OrderSelect({ orders, chosen }: { orders: readonly Order[]; chosen: string }) {
  return (
    <label>
      <span class="hidden">Order</span>
      <select value={chosen} onChange={(event) => ask({ sort: event.currentTarget.value })}>
        {orders.map(([keys, label]) => (
          <option key={keys} value={keys}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
