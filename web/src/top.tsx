// The bar at the top, the four totals, and everything the page has to say about itself.
import { useRef } from "preact/hooks";
import { Alerts } from "./alerts";
import { clockTime, plural } from "./format";
import { Icon, Mark } from "./icons";
import { STALE_S } from "./link";
import { age, clock, dismiss, link, loaded, muted, notices, search, setMuted, setTV, totals, tv } from "./state";
import { Since } from "./time";

export interface Facts {
  company: string;
  version: string;
  sip: string;
  licenses: string;
}

export function Top({ facts }: { facts: Facts }) {
  return (
    <header class="top">
      <div class="brand"><Mark /><h1>Switchboard</h1>{facts.company !== "" && <span>{facts.company}</span>}</div>
      <Link />
      {!tv.value && (
        <label class="search">
          <Icon name="search" />
          <span class="sr">Search calls and operators</span>
          <input type="search" id="search" placeholder="Search calls and operators" autocomplete="off"
            value={search.value} onInput={(e) => { search.value = e.currentTarget.value; }} />
          <kbd aria-hidden="true">/</kbd>
        </label>
      )}
      <div class="tools">
        {!tv.value && <a class="tool" href="/automation" title="Workflows and the API directory">
          <Icon name="flow" /><span class="wide">Automation</span></a>}
        <button type="button" class="tool" aria-pressed={tv.value} onClick={() => setTV(!tv.value)}
          title="TV view: large, without callers' numbers (T)">
          <Icon name="screen" /><span class="wide">TV</span><span class="sr">view</span>
        </button>
        <button type="button" class="tool" id="mute" aria-pressed={muted.value} onClick={() => setMuted(!muted.value)}
          title="Alerts without sound (M)">
          <Icon name={muted.value ? "quiet" : "bell"} /><span class="sr">Alerts without sound</span>
        </button>
        <button type="button" class="tool" id="full" onClick={fullScreen} title="Full screen (F)">
          <Icon name="expand" /><span class="sr">Full screen</span>
        </button>
        <Keys />
        <form method="post" action="/signout">
          <button type="submit" class="tool" title="Sign out">
            <Icon name="leave" /><span class="sr">Sign out</span>
          </button>
        </form>
      </div>
    </header>
  );
}

export function fullScreen(): void {
  const done = document.fullscreenElement === null ? document.documentElement.requestFullscreen()
    : document.exitFullscreen();
  done.catch(() => undefined); // a browser may refuse; nothing is lost
}

function Link() {
  const words = { live: "Live", connecting: "Connecting", down: "Reconnecting" } as const;
  return (
    <span class={`pill link-${link.value}`} data-link={link.value}>
      <i class="pulse" aria-hidden="true" />{words[link.value]}
    </span>
  );
}

function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  const rows: [string, string][] = [
    ["Arrow keys", "move between tiles"],
    ["Enter", "choose a tile, open a call's path"],
    ["1 – 9", "jump to a call center"],
    ["/", "search"],
    ["Esc", "show everything again"],
    ["T", "TV view, without callers' numbers"],
    ["F", "full screen"],
    ["M", "alerts with or without sound"],
  ];
  return (
    <>
      <button type="button" class="tool" id="keys" title="Keys (?)" onClick={() => dialog.current?.showModal()}>
        <Icon name="keys" /><span class="sr">Keys</span>
      </button>
      <dialog ref={dialog} aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl>{rows.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
        <form method="dialog"><button type="submit" class="quiet">Close</button></form>
      </dialog>
    </>
  );
}

export function Banners() {
  const down = link.value !== "live" && age.value >= STALE_S;
  return (
    <section class="banners" aria-label="Alerts and notices">
      {down && (
        <div class="banner tone-bad" data-stale>
          <Icon name="warn" />
          <span role="alert">The connection to the server is down.</span>
          <span class="num">{loaded.value ? `The data is ${age.value} s old.` : "No data yet."} Trying again.</span>
        </div>
      )}
      <Alerts />
      <div role="status">
        {!tv.value && notices.value.length > 0 && (
          <div class={`banner tone-${notices.value[0]?.level === "warning" ? "warn" : "info"}`} data-notices>
            <Icon name={notices.value[0]?.level === "warning" ? "warn" : "dot"} />
            <ul>
              {notices.value.map((n) => (
                <li key={`${n.at}${n.text}`}><span class="num">{clockTime(n.at)}</span> {n.text}</li>
              ))}
            </ul>
            <button type="button" class="tool" onClick={dismiss}>
              <Icon name="close" /><span class="sr">Put away</span>
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

export function Totals() {
  const t = totals.value;
  return (
    <dl class="totals" aria-label="All call centers">
      <div><dt>Waiting</dt><dd class="num" data-total-waiting>{t.waiting}
        {t.callbacks > 0 && <small> with {plural(t.callbacks, "callback", "callbacks")}</small>}</dd></div>
      <div><dt>Longest wait</dt><dd>{t.oldest > 0 ? <Since at={t.oldest} /> : <span class="num">0:00</span>}</dd></div>
      <div><dt>Talking</dt><dd class="num">{t.talking}</dd></div>
      <div><dt>Available</dt><dd class="num">{t.available}<small> of {t.onDuty} on duty</small></dd></div>
    </dl>
  );
}

export function Foot({ facts }: { facts: Facts }) {
  return (
    <footer class="foot">
      {facts.sip !== "" && <span>Softphones call <code>{facts.sip}</code></span>}
      <span>Switchboard {facts.version}</span>
      <span>Server time <span class="num">{clockTime(clock.value)}</span></span>
      <a href={facts.licenses}>Software in this page</a>
    </footer>
  );
}

export function waitingInWords(n: number): string {
  return n === 0 ? "Nobody is waiting" : `${plural(n, "caller is", "callers are")} waiting`;
}
