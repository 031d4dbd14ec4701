// Voicemails and recordings: who left them, who heard them, and the sound itself.
import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { dateTime, duration, minute, plural } from "./format";
import { Icon } from "./icons";
import { matches, mergePages } from "./model";
import { chosen, clock, link, loaded, model, search, tv } from "./state";
import type { Tape, Tapes as Page } from "./wire";

/** How many of each kind are shown first, and how many more each time. */
const PAGE = 8;
/** How many of each kind are asked for afresh at most; what is older stays as it was when it was asked for. */
const FRESH = 96;
/** A call that ended may have left something: it is on the shelves a moment later. */
const SETTLE_MS = 1500;
/** The shelves are asked at most this often. */
const PACE_MS = 4000;
/** They are asked again after a failure. */
const RETRY_MS = 10_000;
/** Whoever begins to listen is noted by then. */
const NOTED_MS = 400;

interface Shelf {
  name: "voicemails" | "recordings";
  title: string;
  none: string;
  wanted: number; // how many are to be shown
  known: Signal<Page | undefined>;
  failed: Signal<boolean>;
}

const shelves: readonly Shelf[] = [
  { name: "voicemails", title: "Voicemails", none: "No voicemails yet." },
  { name: "recordings", title: "Recordings", none: "No recordings yet." },
].map((s) => ({ ...s, wanted: PAGE, known: signal(undefined), failed: signal(false) }) as Shelf);

const playing = signal(""); // the address of the tape whose player is open

async function ask(shelf: Shelf, behind?: string): Promise<void> {
  try {
    const place = behind === undefined ? `limit=${Math.min(shelf.wanted, FRESH)}`
      : `limit=${PAGE}&behind=${encodeURIComponent(behind)}`;
    const answer = await fetch(`/${shelf.name}?${place}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = (await answer.json()) as Page;
    const { value: known } = shelf.known;
    if (behind !== undefined && known !== undefined) {
      shelf.known.value = { you: page.you, items: [...known.items, ...page.items], next: page.next };
    } else {
      shelf.known.value = shelf.wanted > FRESH ? mergePages(known, page) : page;
    }
    shelf.failed.value = false;
  } catch {
    shelf.failed.value = true;
    askSoon(RETRY_MS);
  }
}

function askOlder(shelf: Shelf): void {
  shelf.wanted += PAGE;
  void ask(shelf, shelf.wanted > FRESH ? shelf.known.peek()?.next : undefined);
}

let last = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function askSoon(wait: number): void {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    if (document.hidden || tv.value) return;
    last = Date.now();
    for (const shelf of shelves) void ask(shelf);
  }, Math.max(wait, last + PACE_MS - Date.now()));
}

/** Keeps the shelves fresh: at the start, after each call that ends, and when the page is looked at again. */
export function followTapes(): void {
  effect(() => {
    const { ended } = model.value;
    if (loaded.value && link.value === "live" && !tv.value) askSoon(ended === before ? 0 : SETTLE_MS);
    before = ended;
  });
  document.addEventListener("visibilitychange", () => askSoon(0));
}

let before = model.peek().ended;

export function Tapes() {
  if (tv.value || !loaded.value) return null;
  return (
    <section aria-labelledby="tapes-title">
      <div class="section-head"><h2 id="tapes-title">Messages and recordings</h2>
        <span class="soft">newest first; whoever plays one is noted</span></div>
      <div class="shelves">{shelves.map((s) => <Listing key={s.name} shelf={s} />)}</div>
    </section>
  );
}

function Listing({ shelf }: { shelf: Shelf }) {
  const { value: page } = shelf.known;
  const shown = (page?.items ?? []).filter((t) => wanted(t));
  return (
    <div data-shelf={shelf.name}>
      <h3 class="label">{shelf.title}</h3>
      {shelf.failed.value && <p class="soft">They cannot be read now; the page tries again.</p>}
      {page !== undefined && shown.length === 0 && (
        <p class="empty">{page.items.length === 0 ? shelf.none : "None of those shown here matches."}</p>
      )}
      <ul class="calls tapes">{shown.map((t) => <Row key={t.id} t={t} shelf={shelf} you={page?.you ?? ""} />)}</ul>
      {page?.next !== undefined && (
        <button type="button" class="quiet more" onClick={() => askOlder(shelf)}>Older ones</button>
      )}
    </div>
  );
}

function wanted(t: Tape): boolean {
  const { centers, operators } = model.value;
  if (chosen.value !== undefined && t.center !== chosen.value.id) return false;
  return search.value === "" ||
    matches(search.value, t.number, centers.get(t.center ?? "")?.name, operators.get(t.operator ?? "")?.name);
}

function Row({ t, shelf, you }: { t: Tape; shelf: Shelf; you: string }) {
  const { calls, centers, operators } = model.value;
  const paused = t.call !== undefined && calls.get(t.call)?.recording === "paused";
  const address = `/${shelf.name}/${t.id}/audio`;
  const open = playing.value === address;
  const number = t.number || "Number withheld";
  const who = operators.get(t.operator ?? "")?.name;
  return (
    <li class="tape" data-tape={t.id}>
      <button type="button" class="tool play" disabled={!t.complete} aria-expanded={open}
        onClick={() => { playing.value = open ? "" : address; }}>
        <Icon name={open ? "close" : "play"} />
        <span class="sr">{open ? "Close the player of" : "Play"} {shelf.title.toLowerCase().slice(0, -1)} of {number}</span>
      </button>
      <span class="tape-what">
        <span class="num call-number">{t.direction === "outbound" ? "to " : ""}{number}</span>
        <span class="soft"> {centers.get(t.center ?? "")?.name ?? "no call center"}{who !== undefined && `, ${who}`}</span>
        {shelf.name === "voicemails" && t.heard.length === 0 && <span class="pill tone-info" data-new>new</span>}
        {!t.complete && (
          <span class={`pill tone-${paused ? "warn" : "bad"}`}>{paused ? "recording paused" : "being recorded"}</span>
        )}
      </span>
      <span class="call-time num">{t.complete ? duration(t.length_ms) : ""}</span>
      <span class="tape-heard soft"><span class="num">{minute(t.at, clock.peek())}</span>
        {t.heard.length > 0 && ` · heard by ${heardBy(t, you)}`}</span>
      {open && <Player address={address} label={`${number}, ${dateTime(t.at)}`} />}
    </li>
  );
}

/** The two who heard it last, and how many others did. */
function heardBy(t: Tape, you: string): string {
  const latest = new Map<string, number>();
  for (const { at, by } of t.heard) latest.set(by, at);
  const list = [...latest].sort((a, b) => b[1] - a[1]);
  const named = list.slice(0, 2).map(([by, at]) => `${by === you ? "this browser" : by} ${minute(at, clock.peek())}`);
  const others = list.length - named.length;
  return `${named.join(", ")}${others > 0 ? ` and ${plural(others, "other", "others")}` : ""}`;
}

function Player({ address, label }: { address: string; label: string }) {
  const ref = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    ref.current?.play().catch(() => undefined); // a browser may want another click: the controls are there
    const noted = setTimeout(() => {
      for (const shelf of shelves) void ask(shelf);
    }, NOTED_MS);
    return () => clearTimeout(noted);
  }, []);
  return <audio ref={ref} class="player" controls preload="metadata" src={address} aria-label={label} />;
}
