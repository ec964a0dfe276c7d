/** The years at the edge of the timeline: pressed, dragged, or moved by keys month by month. WAI-ARIA APG, "Slider". */
import { useRef, useState } from 'preact/hooks';
import { sectionAt, type Walker } from './grid';

/** Labels of years nearer than this to the one before are left out, pixels. */
const APART = 20;

export function Scrubber({ layout, at, to }: Walker) {
  const rail = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const { sections, full } = layout;
  if (sections.length < 2 || full <= 0) return null;
  const now = sectionAt(sections, at + 1);
  const height = rail.current?.clientHeight ?? 600;
  const years: { year: string; part: number }[] = [];
  for (const each of sections) {
    const part = each.top / full;
    const last = years.at(-1);
    if (last?.year === each.year || (last && (part - last.part) * height < APART)) continue;
    years.push({ year: each.year, part });
  }
  const partOf = (event: PointerEvent) => {
    const box = rail.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
  };
  const shown = pointed === null ? now : sectionAt(sections, pointed * full);
  const go = (section: number) => to(sections[Math.max(0, Math.min(sections.length - 1, section))]!.top);
  // months beside each other are passed together: each step is seen
  const byRow = (by: number) => {
    let next = now;
    while (sections[next + by] && sections[next + by]!.top === sections[now]!.top) next += by;
    return next + by;
  };
  const byYear = (by: number) => {
    let to = now;
    while (sections[to + by] && sections[to + by]!.year === sections[now]!.year) to += by;
    return to + by;
  };
  return (
    <div
      ref={rail}
      class="scrubber"
      role="slider"
      tabIndex={0}
      aria-label="Month"
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={sections.length - 1}
      aria-valuenow={now}
      aria-valuetext={sections[now]!.label}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setPointed(partOf(event));
        to(partOf(event) * full);
      }}
      onPointerMove={(event) => {
        setPointed(partOf(event));
        if (event.currentTarget.hasPointerCapture(event.pointerId)) to(partOf(event) * full);
      }}
      onPointerUp={() => setPointed(null)}
      onPointerLeave={() => setPointed(null)}
      onKeyDown={(event) => {
        const { key } = event;
        if (key === 'ArrowDown' || key === 'ArrowRight') go(byRow(1));
        else if (key === 'ArrowUp' || key === 'ArrowLeft') go(byRow(-1));
        else if (key === 'PageDown') go(byYear(1));
        else if (key === 'PageUp') go(byYear(-1));
        else if (key === 'Home') go(0);
        else if (key === 'End') go(sections.length - 1);
        else return;
        event.preventDefault();
      }}
    >
      {years.map(({ year, part }) => (
        <span key={year} aria-hidden="true" style={{ top: `${part * 100}%` }}>
          {year || '–'}
        </span>
      ))}
      <i aria-hidden="true" style={{ top: `${Math.min(1, at / full) * 100}%` }} />
      {pointed !== null && (
        <b aria-hidden="true" style={{ top: `${pointed * 100}%` }}>
          {sections[shown]!.label}
        </b>
      )}
    </div>
  );
}
