// Which view is shown: the path says it, so that links and the browser's buttons work.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

export const path = signal(location.pathname);
export const search = signal(location.search);

addEventListener("popstate", () => follow());

function follow(): void {
  path.value = location.pathname;
  search.value = location.search;
}

/** Asked before the page is left; false keeps it. Set by a view that has something to lose. */
let hold: (() => boolean) | undefined;

export function beforeLeaving(check: (() => boolean) | undefined): void {
  hold = check;
}

addEventListener("beforeunload", (event) => {
  if (hold !== undefined && !hold()) event.preventDefault();
});

/** Shows another view. */
export function go(to: string, replace = false): void {
  if (!replace && hold !== undefined && !hold() && !confirm("Leave without saving?")) return;
  hold = undefined;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  follow();
  scrollTo(0, 0);
}

/** A link to another view of these pages. */
export function To(props: { to: string; class?: string; current?: boolean; children: ComponentChildren }) {
  const click = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(props.to);
  };
  return (
    <a href={props.to} class={props.class ?? ""} aria-current={props.current === true ? "page" : undefined}
      onClick={click}>{props.children}</a>
  );
}

/** The parts of the path behind /automation. */
export function parts(): string[] {
  return path.value.split("/").slice(2).filter((part) => part !== "").map(decodeURIComponent);
}
