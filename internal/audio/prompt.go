package audio

import "embed"

// The files are rendered by prompts/render.sh from prompts/phrases.txt.
//
//go:embed prompts/*.ulaw
var promptFiles embed.FS

// Prompt gives a built-in sentence, mu-law at 8 kHz, by its name in prompts/phrases.txt. The bytes are not to be
// changed.
func Prompt(name string) ([]byte, bool) {
	sound, err := promptFiles.ReadFile("prompts/" + name + ".ulaw")
	return sound, err == nil
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
