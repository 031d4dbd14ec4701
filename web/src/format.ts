// Numbers and names as people read them.

/** 4200 -> "0:04", 252000 -> "4:12", 3852000 -> "1:04:12". Negative durations (a clock that is off) are 0:00. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 78 -> "78", 79.5 -> "79.5". */
export function percent(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function clockTime(ms: number): string {
  return timeOfDay.format(ms);
}

const dayAndTime = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});

const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The minute of a time of today, with the day of any other. */
export function minute(ms: number, now: number): string {
  const today = new Date(ms).toDateString() === new Date(now).toDateString();
  return today ? minutes.format(ms) : dateTime(ms);
}

export function dateTime(ms: number): string {
  return dayAndTime.format(ms);
}

const strategies: Record<string, string> = {
  fixedorder: "Fixed order",
  longestidle: "Longest idle",
  mostskilled: "Most skilled",
  random: "Random",
  roundrobin: "Round robin",
  simultaneous: "All at once",
};

export function strategyName(strategy: string): string {
  return strategies[strategy] ?? strategy;
}

const callStates: Record<string, string> = {
  arrived: "Arriving",
  offering: "Ringing",
  queued: "Waiting",
  connected: "Talking",
  prompt: "Listening",
  voicemail: "Voicemail",
  menu: "Menu",
  directory: "Directory",
  extension: "Extension",
  router: "Call router",
  person: "To a person",
  forwarding: "Forwarding",
  forwarded: "Forwarded",
  callback: "Callback",
  dialling: "Calling",
  connecting: "Connecting",
};

export function callStateName(state: string): string {
  return callStates[state] ?? state;
}

export function plural(n: number, one: string, many: string): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** "Ada Lovelace" -> "AL". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0] ?? "?").join("").toUpperCase();
}
