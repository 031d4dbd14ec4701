package audio

import (
	"embed"
	"strings"
)

// The files are rendered by prompts/render.sh from prompts/phrases.txt.
//
//go:embed prompts/*.ulaw
var promptFiles embed.FS

//go:embed prompts/phrases.txt
var phrases string

// Prompt gives a built-in sentence, mu-law at 8 kHz, by its name in prompts/phrases.txt. The bytes are not to be
// changed.
func Prompt(name string) ([]byte, bool) {
	sound, err := promptFiles.ReadFile("prompts/" + name + ".ulaw")
	return sound, err == nil
}

// PromptText is what a built-in sentence says; "": there is none of that name.
func PromptText(name string) string {
	for line := range strings.Lines(phrases) {
		if text, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// PromptNames lists the built-in sentences in name order.
func PromptNames() []string {
	entries, err := promptFiles.ReadDir("prompts")
	if err != nil {
		panic("audio: embedded folder is missing: " + err.Error())
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name()[:len(e.Name())-len(".ulaw")])
	}
	return names
}
