#!/bin/sh
# Measures bin/switchboard on this machine and prints one table: figure, value, aim or peer's figure. Progress goes to
# standard error. ONLY=free,relay measures those parts alone, BINARY another program;
# docs/internals/benchmarks.md says what each part does.
set -eu
cd "$(dirname "$0")/../.."
for program in sipp taskset; do
	command -v "$program" >/dev/null || {
		echo "$program is missing: sh test/interop/install.sh installs sipp, util-linux has taskset" >&2
		exit 1
	}
done
binary=${BINARY:-bin/switchboard}
[ -x "$binary" ] || {
	echo "$binary is missing: make build" >&2
	exit 1
}
processors=$(nproc)
[ "$processors" -ge 2 ] || {
	echo "two processors are needed: one for the server, one for the load" >&2
	exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go build -o "$scratch/bench" ./test/bench

# Priority is raised, so that neighbours disturb neither server nor load. Only root may; for others it is as it is. Linux
# weighs whole sessions against each other (sched(7), autogroup), so ours is raised as well, until the end.
raise=""
nice -n -10 true 2>/dev/null && raise="nice -n -10"
own=$(sed -n 's/.* nice //p' /proc/self/autogroup 2>/dev/null || true)
if [ -n "$own" ] && echo -10 2>/dev/null >/proc/self/autogroup; then
	trap 'rm -rf "$scratch"; echo "$own" >/proc/self/autogroup' EXIT
fi
echo "$(date -u '+%Y-%m-%d %H:%M UTC'), $(uname -sr), $processors processors, load$(uptime | sed 's/.*average//')"
# shellcheck disable=SC2086 # raise is two words or none
$raise taskset -c 1 "$scratch/bench" -binary "$binary" -only "${ONLY:-}"
