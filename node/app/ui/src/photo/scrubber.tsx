/** The years at the edge of the timeline: pressed, dragged, or moved by keys month by month. WAI-ARIA APG, "Slider". */
import { useRef, useState } from 'preact/hooks';
import { sectionAt, type Walker } from './grid';

/** Labels of years nearer than this to the one before are left out, pixels. */
const APART = 20;

export function Scrubber({ layout, at, seen, to }: Walker) {
  const rail = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const { sections, full } = layout;
  if (sections.length < 2 || full <= 0) return null;
  const now = at > 0 && at + seen >= full ? sections.length - 1 : sectionAt(sections, at + 1);
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
  // what is at the end of the view can't be brought to its top: steps go by where things are, never by what is named
  const tops = [...new Set(sections.map((each) => each.top))];
  const yearTops = sections.filter((each, place) => sections[place - 1]?.year !== each.year).map((each) => each.top);
  const back = (places: number[]) => to(places.findLast((each) => each < at - 1) ?? 0);
  const on = (places: number[]) => to(places.find((each) => each > at + 1) ?? full);
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
        if (key === 'ArrowDown' || key === 'ArrowRight') on(tops);
        else if (key === 'ArrowUp' || key === 'ArrowLeft') back(tops);
        else if (key === 'PageDown') on(yearTops);
        else if (key === 'PageUp') back(yearTops);
        else if (key === 'Home') to(0);
        else if (key === 'End') to(full);
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
