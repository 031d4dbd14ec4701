// The keys of the page. Arrows move between tiles by where they are on the screen.
import { center, centers, choose, muted, search, setMuted, setTV, tv } from "./state";
import { fullScreen } from "./top";

export function listen(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return;
    if (event.target instanceof HTMLMediaElement) return; // its keys are the browser's
    const typing = event.target instanceof HTMLInputElement;
    if (typing && event.key !== "Escape" && event.key !== "ArrowDown") return;
    if (press(event.key)) event.preventDefault();
  });
}

/** Whether the key meant something. */
function press(key: string): boolean {
  switch (key) {
    case "/":
      return focus(document.getElementById("search"));
    case "Escape":
      search.value = "";
      center.value = "";
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return true;
    case "f":
    case "F":
      fullScreen();
      return true;
    case "t":
    case "T":
      setTV(!tv.value);
      return true;
    case "m":
    case "M":
      setMuted(!muted.value);
      return true;
    case "?":
      document.getElementById("keys")?.click();
      return true;
    case "ArrowLeft":
    case "ArrowRight":
    case "ArrowUp":
    case "ArrowDown":
      return move(key);
    default:
      return /^[1-9]$/.test(key) && jump(Number(key));
  }
}

function jump(number: number): boolean {
  const target = centers.value[number - 1];
  if (target === undefined) return false;
  choose(target.id);
  return focus(document.querySelector(`[data-center="${target.id}"]`));
}

function focus(element: Element | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  element.focus();
  return true;
}

/** Moves to the nearest tile in a direction: distance along it, plus a penalty for being off to the side. */
function move(key: string): boolean {
  const tiles = [...document.querySelectorAll<HTMLElement>("[data-tile]:not(:disabled)")];
  const here = document.activeElement;
  if (!(here instanceof HTMLElement) || !tiles.includes(here)) {
    // without a tile the arrows scroll, as people expect; from the search they enter the tiles
    return here instanceof HTMLInputElement && focus(tiles[0] ?? null);
  }
  const from = middle(here);
  const flat = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  let best: HTMLElement | undefined;
  let least = Infinity;
  for (const tile of tiles) {
    const to = middle(tile);
    const along = sign * (flat ? to.x - from.x : to.y - from.y);
    const aside = Math.abs(flat ? to.y - from.y : to.x - from.x);
    if (tile === here || along < 4) continue;
    const cost = along + 2 * aside;
    if (cost < least) [best, least] = [tile, cost];
  }
  return focus(best ?? null);
}

function middle(tile: HTMLElement): { x: number; y: number } {
  const box = (tile.closest(".card") ?? tile).getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}
