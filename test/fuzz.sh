#!/bin/sh
# Runs every fuzz target for the time given ("20s"), one after the other.
set -eu
cd "$(dirname "$0")/.."
time=${1:-20s}
grep -rl '^func Fuzz' --include='*_test.go' internal | sort | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file" | while read -r target; do
		echo "== $target ($(dirname "$file"))"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1x "./$(dirname "$file")"
	done
done
