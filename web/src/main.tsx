// The live page: queues, operators and calls as they are this second.
import { effect } from "@preact/signals";
import { render } from "preact";
import { listenForAlarms } from "./alerts";
import { Calls, Recent } from "./calls";
import { Centers } from "./centers";
import { listen } from "./keyboard";
import { connect, STALE_S, tick } from "./link";
import { Operators } from "./operators";
import { age, link, sampleTrend, totals, TREND_EVERY_MS, tv } from "./state";
import { followTapes, Tapes } from "./tapes";
import { Banners, Foot, Top, Totals, waitingInWords, type Facts } from "./top";

/** Screen readers hear the number of waiting callers at most this often. */
const SAY_EVERY_MS = 5000;

function Page({ facts }: { facts: Facts }) {
  const stale = link.value !== "live" && age.value >= STALE_S;
  return (
    <div class={`page${tv.value ? " tv" : ""}${stale ? " stale" : ""}`}>
      <Top facts={facts} />
      <Banners />
      <main>
        <Totals />
        <Centers />
        <div class="columns">
          <div><Calls /><Recent /></div>
          <Operators />
        </div>
        <Tapes />
      </main>
      <Foot facts={facts} />
    </div>
  );
}

function start(root: HTMLElement): void {
  const { page = "", company = "", version = "", sip = "", licenses = "" } = root.dataset;
  const facts = { company, version, sip, licenses };
  root.replaceChildren();
  if (/^\/automation(\/|$)/.test(location.pathname)) {
    void import("./automation/shell").then((shell) => shell.start(root, facts));
    return;
  }
  render(<Page facts={facts} />, root);

  const spoken = document.createElement("p");
  spoken.className = "sr";
  spoken.setAttribute("role", "status");
  document.body.append(spoken);
  setInterval(() => {
    const words = link.value === "live" ? waitingInWords(totals.value.waiting) : "";
    if (spoken.textContent !== words) spoken.textContent = words;
  }, SAY_EVERY_MS);

  effect(() => {
    const { waiting } = totals.value;
    document.title = waiting > 0 ? `(${waiting}) Switchboard` : "Switchboard";
  });
  listen();
  listenForAlarms();
  followTapes();
  connect(page);
  setInterval(() => tick(page), 1000);
  setInterval(sampleTrend, TREND_EVERY_MS);
  addEventListener("online", () => {
    if (link.value === "down") connect(page);
  });
}

const root = document.getElementById("app");
if (root !== null) start(root);
