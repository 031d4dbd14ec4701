// Small parts that several views have.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons";
import { wordsOf } from "./api";

/** What the page has to say for a moment: "copied" and the like. */
export const said = signal("");
let quiet: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  said.value = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { said.value = ""; }, 4000);
}

export function Said() {
  const ref = useRef<HTMLDivElement>(null);
  const text = said.value;
  useEffect(() => {
    ref.current?.hidePopover();
    if (text !== "") ref.current?.showPopover(); // on top of dialogs, too
  }, [text]);
  return <div ref={ref} popover="manual" role="status" class="toast">{text}</div>;
}

/** Puts a text on the clipboard and says so. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${text.length > 90 ? text.slice(0, 90) + "…" : text}`);
  } catch {
    const area = document.createElement("textarea"); // pages without HTTPS have no clipboard of their own
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    say(done ? `Copied ${text.slice(0, 90)}` : "The browser does not let pages copy here.");
  }
}

export function Trouble({ text }: { text: string }) {
  return text === "" ? null : (
    <p class="banner tone-bad" role="alert"><Icon name="warn" /><span>{text}</span></p>
  );
}

/** Runs what a button does, and says what went wrong. */
export function useDoing(): { busy: boolean; wrong: string; run(work: () => Promise<void>): void } {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const run = (work: () => Promise<void>) => {
    setBusy(true);
    setWrong("");
    work().catch((error: unknown) => setWrong(wordsOf(error))).finally(() => setBusy(false));
  };
  return { busy, wrong, run };
}

/** Loads at first and whenever a key changes, and again every so often while the page is seen. */
export function useLoaded<T>(key: string, load: () => Promise<T>, everyMs = 0, goOn: (value: T) => boolean = () => true) {
  const [state, setState] = useState<{ key: string; value?: T; wrong: string }>({ key: "", wrong: "" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async () => {
      let next = true;
      try {
        const value = await load();
        if (over) return;
        setState({ key, value, wrong: "" });
        next = goOn(value);
      } catch (error) {
        if (over) return;
        setState((old) => ({ ...(old.key === key ? old : {}), key, wrong: wordsOf(error) }));
      }
      if (everyMs > 0 && next) timer = setTimeout(() => void (document.hidden ? again() : once()), everyMs);
    };
    const again = () => { timer = setTimeout(() => void (document.hidden ? again() : once()), everyMs); };
    void once();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [key, turn]);
  const fresh = state.key === key;
  return { value: fresh ? state.value : undefined, wrong: fresh ? state.wrong : "", reload: () => setTurn((n) => n + 1) };
}

/** A row of tabs and the panel of the chosen one, as the ARIA practices describe them. */
export function Tabs<K extends string>(props: {
  label: string; chosen: K; tabs: readonly (readonly [K, string])[]; choose: (key: K) => void; children: ComponentChildren;
}) {
  const id = useRef(`tabs${Math.random().toString(36).slice(2)}`).current;
  const key = (event: KeyboardEvent) => {
    const here = props.tabs.findIndex(([k]) => k === props.chosen);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = props.tabs[(here + step + props.tabs.length) % props.tabs.length];
    if (next === undefined) return;
    props.choose(next[0]);
    document.getElementById(`${id}-${next[0]}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={key}>
        {props.tabs.map(([k, words]) => (
          <button type="button" role="tab" key={k} id={`${id}-${k}`} aria-selected={k === props.chosen}
            aria-controls={`${id}-panel`} tabIndex={k === props.chosen ? 0 : -1} data-tab={k}
            onClick={() => props.choose(k)}>{words}</button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${props.chosen}`}>{props.children}</div>
    </>
  );
}

/** A dialog that is open for as long as it is drawn. */
export function Dialog(props: { title: string; wide?: boolean; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => { // at once: keys that come now are meant for what the dialog asks
    ref.current?.showModal();
    ref.current?.querySelector<HTMLElement>("input:not([readonly]), select, textarea, .main")?.focus();
  }, []);
  return (
    <dialog ref={ref} class={props.wide === true ? "drawer" : "ask"} aria-label={props.title} onClose={props.close}>
      <div class="section-head">
        <h2>{props.title}</h2>
        <button type="button" class="tool end" onClick={() => ref.current?.close()} title="Close (Esc)">
          <Icon name="close" /><span class="sr">Close</span>
        </button>
      </div>
      {props.children}
    </dialog>
  );
}

/** A method as people know it by its colour. */
export function Method({ name }: { name: string }) {
  return <span class={`method method-${name.toLowerCase()}`}>{name}</span>;
}

/** A state of a run or task with its colour. */
export function StateOf({ name }: { name: string }) {
  return <span class={`pill run-${toneOf(name)}`} data-state={name}>{wordsOfState(name)}</span>;
}

export function toneOf(state: string): "good" | "bad" | "busy" | "wait" | "off" {
  switch (state) {
    case "COMPLETED": return "good";
    case "FAILED": case "FAILED_WITH_TERMINAL_ERROR": case "TIMED_OUT": case "TERMINATED": return "bad";
    case "RUNNING": case "IN_PROGRESS": return "busy";
    case "PAUSED": case "SCHEDULED": case "COMPLETED_WITH_ERRORS": return "wait";
    default: return "off";
  }
}

export function wordsOfState(state: string): string {
  const words = state.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** 1234.5 ms -> "1.23 s". */
export function took(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round(ms / 1000) % 60} s`;
}

/** 12345 -> "12.1 KB". */
export function bytes(n: number): string {
  return n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KB` : `${(n / (1 << 20)).toFixed(1)} MB`;
}
