// The JSON of the stream, as the server's console sends it. Times are milliseconds since 1970, ids are strings.

export type OperatorState =
  | "off duty"
  | "no device"
  | "do not disturb"
  | "available"
  | "ringing"
  | "on call"
  | "wrap-up";

export interface Center {
  id: string;
  name: string;
  description?: string;
  availability: "open" | "closed" | "holiday_open" | "holiday_closed" | "";
  holiday?: string;
  strategy: string;
  ring_seconds?: number;
  waiting: number;
  oldest_entry?: number;
  on_duty: number;
  capacity: number;
  goal_percent: number;
  goal_seconds: number;
  service_level: number | null;
  outcomes: Record<string, number>;
  max_hold_count: number;
  longest_wait_ms: number;
  answered_in_target: number;
  callbacks?: number; // of those waiting
  alert?: { since: number; text: string };
}

export interface Operator {
  id: string;
  name: string;
  state: OperatorState;
  since?: number;
  until?: number;
  reason?: string;
  off_after?: boolean;
  extend_ms?: number; // how much longer this wrap-up may still be made
  call?: string;
  missed?: number;
  centers: string[];
}

export interface Step {
  at: number;
  rule: string;
  text: string;
}

export interface Call {
  id: string;
  center?: string;
  from?: string;
  to?: string;
  state: string;
  since?: number;
  arrived?: number;
  entered?: number;
  position?: number;
  operator?: string;
  path: Step[];
  direction?: "inbound" | "outbound";
  callback?: boolean;
  recording?: "on" | "paused";
  voice?: "on" | "paused"; // whether the conversation is listened to
}

/** A conversation that goes on. Pairs are of the customer and the operator. */
export interface Talk {
  call: string;
  began: number; // times of turns and gaps are milliseconds after it
  at_ms: number; // as far as it is judged
  state?: "paused" | "held";
  speaking: [boolean, boolean];
  talk_ms: [number, number];
  monologue_ms: [number, number];
  turn_count: [number, number];
  overlap_ms: number;
  interruptions: number;
  silence_ms: number;
  dead_air_ms: number;
  dead_airs: number;
  response_ms?: number; // on average
  turns: [number, number, number][]; // side, start, end: the last ones; one with a known start replaces that
  gaps?: { kind: "paused" | "held"; start: number; end: number }[];
}

export type Outcome =
  | "answered"
  | "abandoned"
  | "short_abandoned"
  | "voicemail"
  | "message"
  | "forwarded"
  | "callback_requested"
  | "rejected"
  | "failed";

/** A call that is over: of a visit to several call centers, the part in one of them. */
export interface Ended {
  id: string;
  visit?: string; // the call of the lists that it was of; absent: this one
  at: number;
  center?: string;
  from?: string;
  to?: string;
  outcome: Outcome;
  reason?: string;
  operator?: string;
  wait_ms: number;
  path: Step[];
  direction?: "inbound" | "outbound";
  callback?: boolean;
}

export interface Notice {
  at: number;
  level: string;
  text: string;
  alert?: "raised" | "reminded" | "cleared";
}

export interface Update {
  seq: number;
  at: number;
  centers?: Center[];
  operators?: Operator[];
  calls?: Call[];
  ended?: Ended[];
  deleted_centers?: string[];
  deleted_operators?: string[];
  notices?: Notice[];
  talks?: Talk[];
}

/** A voicemail or a recording. */
export interface Tape {
  id: string;
  call?: string;
  center?: string;
  operator?: string;
  number?: string;
  direction?: "inbound" | "outbound";
  reason?: string;
  at: number;
  length_ms: number;
  complete: boolean;
  heard: { at: number; by: string }[];
}

/** One page of a listing of tapes, newest first. */
export interface Tapes {
  you: string; // as this browser is named among those who heard
  items: Tape[];
  next?: string | undefined; // where the next page begins; absent: this is the last
}
