#!/bin/sh
# Renders phrases.txt to *.ulaw with flite (Debian: apt-get install flite), voice rms. Needs Go for the encoder.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/encode" ./encode
grep -v '^#' phrases.txt | while IFS= read -r line; do
	name=${line%%: *}
	flite -voice rms --setf duration_stretch=1.05 -t "${line#*: }" -o "$work/$name.wav"
	"$work/encode" "$work/$name.wav" "$name.ulaw"
done
