// The automation pages: the bar, the navigation, and the view that the path names.
import { effect } from "@preact/signals";
import { render } from "preact";
import { Icon, Mark } from "../icons";
import type { Facts } from "../top";
import { DirectoryPage } from "./directory";
import { parts, path, To } from "./route";
import { RunPage } from "./run";
import { Runs } from "./runs";
import { Schedules } from "./schedules";
import { Secrets } from "./secrets";
import { Said } from "./widgets";
import { EditorPage } from "./workflow";
import { Workflows } from "./workflows";

const views = [
  ["workflows", "Workflows"], ["directory", "Directory"], ["runs", "Runs"], ["schedules", "Schedules"], ["secrets", "Secrets"],
] as const;

function View() {
  const [view = "workflows", a = "", b = ""] = parts();
  switch (view) {
    case "directory":
      return <DirectoryPage />;
    case "runs":
      return a === "" ? <Runs /> : <RunPage key={a} id={a} />;
    case "schedules":
      return <Schedules />;
    case "secrets":
      return <Secrets />;
    case "workflows":
      if (a === "new") return <EditorPage key="new" />;
      if (a === "edit" && b !== "") return <EditorPage key={b} name={b} />;
      return <Workflows />;
    default:
      return <p class="empty">There is no such page.</p>;
  }
}

function Shell({ facts }: { facts: Facts }) {
  const here = parts()[0] ?? "workflows";
  return (
    <div class="page automation">
      <header class="top">
        <a class="brand" href="/" title="To the live page"><Mark /><h1>Switchboard</h1>{facts.company !== "" && <span>{facts.company}</span>}</a>
        <nav class="views" aria-label="Automation">
          {views.map(([key, words]) => (
            <To key={key} to={`/automation/${key}`} current={key === here}>{words}</To>
          ))}
        </nav>
        <div class="tools end">
          <a class="tool" href="/"><Icon name="screen" /><span>Live</span></a>
          <form method="post" action="/signout">
            <button type="submit" class="tool" title="Sign out"><Icon name="leave" /><span class="sr">Sign out</span></button>
          </form>
        </div>
      </header>
      <main data-view={here}><View /></main>
      <Said />
      <footer class="foot"><span>Switchboard {facts.version}</span><a href={facts.licenses}>Software in this page</a></footer>
    </div>
  );
}

/** Draws the automation pages. */
export function start(root: HTMLElement, facts: Facts): void {
  render(<Shell facts={facts} />, root);
  effect(() => {
    const words = views.find(([key]) => path.value.startsWith(`/automation/${key}`))?.[1] ?? "Automation";
    document.title = `${words} · Switchboard`;
  });
}
