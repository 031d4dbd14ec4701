// The page's icons: strokes on a 16-pixel grid, drawn in the colour of the text beside them.
const paths = {
  check: "M3.5 8.5l3 3 6-7",
  warn: "M8 2.5l6 11H2zM8 6.5v3M8 11.6v.1",
  down: "M8 3v9M4 8.5L8 12.5l4-4",
  dash: "M4 8h8",
  chevron: "M6 4l4 4-4 4",
  search: "M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.5 10.5L13.5 13.5",
  screen: "M2 3h12v8H2zM5.5 13.5h5",
  expand: "M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10",
  keys: "M1.5 4h13v8h-13zM4 6.6v.1M6.7 6.6v.1M9.4 6.6v.1M12 6.6v.1M5 9.5h6",
  leave: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
  close: "M4 4l8 8M12 4l-8 8",
  phone: "M3 3h2.5l1.2 3-1.5 1.1a8 8 0 003.7 3.7L10 9.3l3 1.2V13a.8.8 0 01-.9.8A10 10 0 012.2 3.9.8.8 0 013 3z",
  bell: "M8 2a4 4 0 00-4 4c0 4-1.5 5-1.5 5h11S12 10 12 6a4 4 0 00-4-4zM6.8 13.5h2.4",
  quiet: "M5 4.2A4 4 0 0112 6c0 1.6.2 2.7.5 3.5M10.5 11h-8S4 10 4 6.5M6.8 13.5h2.4M2.5 2.5l11 11",
  back: "M6 3L2.5 6.5 6 10M2.5 6.5H9a4.5 4.5 0 014.5 4.5v2",
  play: "M5 3.2l7.5 4.8L5 12.8z",
  steps: "M3 3.5h10M3 8h7M3 12.5h4",
  person: "M8 2.5a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM2.8 13.5c.4-3 2.5-4.2 5.2-4.2s4.8 1.2 5.2 4.2",
  away: "M3 8h9M8.5 4L12.5 8l-4 4",
  clock: "M8 2a6 6 0 100 12A6 6 0 008 2zM8 5v3.2l2 1.3",
  pause: "M5.5 4v8M10.5 4v8",
  moon: "M13 9.5A5.5 5.5 0 016.5 3 5.5 5.5 0 1013 9.5z",
  bar: "M8 2a6 6 0 100 12A6 6 0 008 2zM4.5 8h7",
  plug: "M5.5 2v3.5M10.5 2v3.5M4 5.5h8V8a4 4 0 01-8 0zM8 12v2",
  tape: "M4.5 5a3 3 0 100 6 3 3 0 000-6zM11.5 5a3 3 0 100 6 3 3 0 000-6zM4.5 11h7",
  speak: "M3 6v4h2.5L9 13V3L5.5 6zM11.5 6a3 3 0 010 4",
  flow: "M3 2.5h4v3H3zM9 10.5h4v3H9zM5 5.5v6.5h4M7 4h4v6.5",
  dot: "M8 6.5a1.5 1.5 0 100 3 1.5 1.5 0 000-3z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M9.5 9.5C9.5 19 22.5 13 22.5 22.5" />
      <circle cx="9.5" cy="9.5" r="3" />
      <circle cx="22.5" cy="22.5" r="3" />
      <circle class="faint" cx="22.5" cy="9.5" r="2.2" />
      <circle class="faint" cx="9.5" cy="22.5" r="2.2" />
    </svg>
  );
}
