// One card per call center: what waits, how long, and how it does against its goal.
import { clockTime, percent, plural, strategyName } from "./format";
import { Icon, type IconName } from "./icons";
import { isOpen, serviceLevel, waitTone, type Tone } from "./model";
import { center as picked, centers, choose, chosen, loaded, trend, TREND_SAMPLES, tv } from "./state";
import { Since, Waited } from "./time";
import type { Center } from "./wire";

const toneIcon: Record<Tone, IconName> = { good: "check", warn: "warn", bad: "down", none: "dash" };

export function Centers() {
  const list = centers.value;
  return (
    <section aria-labelledby="centers-title">
      <div class="section-head">
        <h2 id="centers-title">Call centers</h2>
        {chosen.value !== undefined && (
          <button type="button" class="quiet" onClick={() => choose(picked.value)}>
            Only {chosen.value.name} <Icon name="close" /> <span class="sr">Show all call centers</span>
          </button>
        )}
      </div>
      {loaded.value && list.length === 0 && (
        <p class="empty">
          No call centers yet. Create one with <code>POST /api/v2/callcenters</code> and it appears here.
        </p>
      )}
      <div class="cards">
        {list.map((c, i) => (
          <Card key={c.id} c={c} number={i + 1} />
        ))}
      </div>
    </section>
  );
}

function Card({ c, number }: { c: Center; number: number }) {
  const full = c.max_hold_count > 0 && c.waiting >= c.max_hold_count;
  const on = picked.value === c.id;
  return (
    <article class={`card${on ? " chosen" : ""}${c.alert !== undefined ? " alarm" : ""}`}>
      <header class="card-head">
        <h3>
          <button type="button" class="card-name" data-tile data-center={c.id} aria-pressed={on}
            onClick={() => choose(c.id)}>
            {c.name}
          </button>
        </h3>
        {c.callbacks !== undefined && (
          <span class="pill" data-callbacks={c.id}><Icon name="back" />{plural(c.callbacks, "callback", "callbacks")}</span>
        )}
        <Openness c={c} />
        {number <= 9 && <kbd aria-hidden="true">{number}</kbd>}
      </header>
      {c.description !== undefined && !tv.value && <p class="card-about soft" title={c.description}>{c.description}</p>}
      <Alarmed c={c} />
      <div class="figures">
        <p class="figure big">
          <span class={`num value tone-${full ? "bad" : "none"}`} data-waiting={c.id}>{c.waiting}</span>
          <span class="label">waiting {full ? <b class="tone-bad">· queue full</b> : <>of {c.max_hold_count}</>}</span>
        </p>
        <p class="figure">
          <span class="value">
            {c.oldest_entry === undefined
              ? <span class="num faint">0:00</span>
              : <Waited at={c.oldest_entry} tone={(ms) => waitTone(ms, c)} />}
          </span>
          <span class="label">longest wait</span>
        </p>
        <p class="figure">
          <span class="value num">
            {c.capacity}<small> / {c.on_duty}</small>
          </span>
          <span class="label">can ring / on duty</span>
        </p>
      </div>
      <Level c={c} />
      <Outcomes c={c} />
      <footer class="card-foot">
        <span>{strategyName(c.strategy)}{c.ring_seconds !== undefined && `, rings ${c.ring_seconds} s`}</span>
        <Trend id={c.id} />
      </footer>
    </article>
  );
}

/** The alert of a center: what is wrong, and since when. */
function Alarmed({ c }: { c: Center }) {
  if (c.alert === undefined) return null;
  return (
    <p class="card-alert tone-bad">
      <Icon name="bell" />
      <span>{c.alert.text}. Alert since <span class="num">{clockTime(c.alert.since)}</span>
        {" "}(<Since at={c.alert.since} />).</span>
    </p>
  );
}

function Openness({ c }: { c: Center }) {
  const open = isOpen(c);
  const word = open ? "Open" : "Closed";
  return (
    <span class={`pill tone-${open ? "good" : "none"}`}>
      <Icon name={open ? "check" : "moon"} />
      {c.holiday !== undefined && c.holiday !== "" ? `${word} · ${c.holiday}` : word}
    </span>
  );
}

function Level({ c }: { c: Center }) {
  const { tone, word, goal } = serviceLevel(c);
  return (
    <div class="level">
      <p>
        <span class={`level-value num tone-${tone}`}>
          {c.service_level === null ? "–" : <>{percent(c.service_level)} %</>}
        </span>
        <span class={`pill tone-${tone}`}><Icon name={toneIcon[tone]} />{word}</span>
        <span class="soft">of {goal}</span>
      </p>
      <div class={`track tone-${tone}`} aria-hidden="true">
        <i style={{ width: `${c.service_level ?? 0}%` }} />
        {c.goal_percent > 0 && <b style={{ insetInlineStart: `${c.goal_percent}%` }} />}
      </div>
    </div>
  );
}

function Outcomes({ c }: { c: Center }) {
  const of = (...names: string[]) => names.reduce((sum, name) => sum + (c.outcomes[name] ?? 0), 0);
  const all = Object.values(c.outcomes).reduce((sum, n) => sum + n, 0);
  const known = { answered: of("answered"), abandoned: of("abandoned", "short_abandoned"), voicemail: of("voicemail") };
  const rest = all - known.answered - known.abandoned - known.voicemail;
  return (
    <dl class="outcomes">
      <div><dt>Answered</dt><dd class="num">{known.answered}</dd></div>
      <div><dt>Abandoned</dt><dd class="num">{known.abandoned}</dd></div>
      <div><dt>Voicemail</dt><dd class="num">{known.voicemail}</dd></div>
      <div><dt>Other</dt><dd class="num">{rest}</dd></div>
    </dl>
  );
}

/** Waiting callers over the last ten minutes, as far as this page saw them. */
function Trend({ id }: { id: string }) {
  const samples = trend.value.get(id) ?? [];
  if (samples.length < 2) return null;
  const top = Math.max(4, ...samples);
  const step = 120 / (TREND_SAMPLES - 1);
  const start = 120 - (samples.length - 1) * step;
  const points = samples.map((n, i) => `${(start + i * step).toFixed(1)},${(22 - (n / top) * 20).toFixed(1)}`);
  return (
    <span class="trend-line" aria-hidden="true">
      waiting, 10 min
      <svg class="trend" viewBox="0 0 120 24" preserveAspectRatio="none">
        <path class="area" d={`M${start.toFixed(1)},23 L${points.join(" L")} L120,23 Z`} />
        <path d={`M${points.join(" L")}`} />
      </svg>
    </span>
  );
}
