// The stream: keeps it open, collects what it brings for the next frame, and says how old the data are.
import { batch } from "@preact/signals";
import type { Message } from "./model";
import { age, clock, link, loaded, local, model, take } from "./state";
import type { Update } from "./wire";

/** The server beats every 15 s; a stream silent for longer than two beats is dead. */
const SILENT_MS = 35_000;
const RETRY_MS = [500, 1000, 2000, 5000] as const;
/** Data older than this are worth a banner. */
export const STALE_S = 2;

let source: EventSource | undefined;
let failures = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let lastSeen = Date.now(); // the browser's clock
let ahead: number | undefined; // the server's clock minus the browser's; a delayed event shows too little of it
let pending: Message[] = [];
let drawing = false;

/** Opens the stream and keeps it open for as long as the page lives. */
export function connect(page: string): void {
  clearTimeout(retry);
  source?.close();
  const after = model.value.seq > 0 ? `&after=${model.value.seq}` : "";
  const own = new EventSource(`/events?page=${encodeURIComponent(page)}${after}`);
  source = own;
  let outage = link.value === "down" && loaded.value ? Date.now() - lastSeen : 0;
  own.onopen = () => {
    failures = 0;
    ahead = undefined;
    seen();
  };
  const on = (reset: boolean) => (event: MessageEvent<string>) => {
    const update = JSON.parse(event.data) as Update;
    if (reset && outage > 0) missed(outage);
    outage = 0;
    seen(update.at);
    pending.push({ reset, update });
    draw();
  };
  own.addEventListener("reset", on(true));
  own.addEventListener("update", on(false));
  own.addEventListener("beat", (event: MessageEvent<string>) => seen((JSON.parse(event.data) as { at: number }).at));
  own.addEventListener("signed-out", () => location.reload());
  own.onerror = () => {
    own.close();
    flush();
    link.value = "down";
    failures++;
    void signedOut();
    retry = setTimeout(() => connect(page), RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
  };
}

/** A refused stream does not say why; the page's own address does. */
async function signedOut(): Promise<void> {
  try {
    const answer = await fetch("/", { method: "HEAD", cache: "no-store" });
    if (answer.status === 401) location.reload();
  } catch {
    // the server is away: the retry goes on
  }
}

function seen(at?: number): void {
  lastSeen = Date.now();
  if (at !== undefined && at > 0) ahead = Math.max(ahead ?? -Infinity, at - lastSeen);
  batch(() => {
    link.value = "live";
    age.value = 0;
  });
}

function draw(): void {
  if (drawing) return;
  drawing = true;
  const once = () => {
    if (drawing) flush();
  };
  requestAnimationFrame(once);
  setTimeout(once, 500); // a hidden tab draws no frames
}

function flush(): void {
  drawing = false;
  if (pending.length === 0) return;
  const messages = pending;
  pending = [];
  take(messages);
}

function missed(outage: number): void {
  const text = `The connection is back. What happened in ${Math.ceil(outage / 1000)} s is not listed here.`;
  local.value = [{ at: Date.now() + (ahead ?? 0), level: "info", text }, ...local.value].slice(0, 3);
}

/** Moves the clocks. Call it about once a second. */
export function tick(page: string): void {
  const now = Date.now();
  if (link.value === "live" && now - lastSeen > SILENT_MS) {
    link.value = "down";
    connect(page);
  }
  batch(() => {
    if (link.value === "live") clock.value = now + (ahead ?? 0);
    age.value = link.value === "live" ? 0 : Math.floor((now - lastSeen) / 1000);
  });
}
