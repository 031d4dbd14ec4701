#!/bin/sh
# Installs what the interop tests drive: sipp, baresip, Chromium, and flite, which speaks texts. Does nothing where they
# are there.
set -eu
missing=""
for pair in sipp:sip-tester baresip:baresip chromium:chromium flite:flite; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "Missing:$missing. Install them, then run this again." >&2
	exit 1
fi
echo "Installing$missing"
apt-get update -q
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
