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
}

export interface Operator {
  id: string;
  name: string;
  state: OperatorState;
  since?: number;
  until?: number;
  reason?: string;
  off_after?: boolean;
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

/** A call that is over. */
export interface Ended {
  id: string;
  at: number;
  center?: string;
  from?: string;
  to?: string;
  outcome: Outcome;
  reason?: string;
  operator?: string;
  wait_ms: number;
  path: Step[];
}

export interface Notice {
  at: number;
  level: string;
  text: string;
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
}
