package media

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/audio"
)

// packPlaces is where Debian's packages put prompts in English.
const packPlaces = "/usr/share/asterisk/sounds/en*"

const (
	maxPromptFile = 4 << 20 // bytes; a longer file of a pack is left out
	mostSpoken    = 10      // the last position that is said as a number
	maxSpelled    = 32      // digits and letters
	trimMargin    = audio.Rate / 50
)

// The parts, by Asterisk's file names, of each sentence that a pack can have (docs/reference/prompts.md). A sentence
// that lacks a part is the built-in one as a whole.
var packSentences = map[string][]string{
	"HOLD_INTRO":      {"queue-periodic-announce"},
	"HOLD_POSITION_1": {"queue-youarenext"},
	"VM_UNAVAILABLE":  {"vm-intro"},
	"VM_FULL":         {"vm-mailboxfull"},
	"DISABLED":        {"ss-noservice"},
}

// Library is every sentence there is, read once at the start.
type Library struct {
	sentences map[string][][]byte
	pack      string
	speech    *Speech
	log       *slog.Logger
}

// NewLibrary reads a prompt pack, a folder with Asterisk's file names: dir, or where it is empty the one that Debian's
// package installed, if any. What the pack lacks is built in; a pack that cannot be read is logged and left out.
func NewLibrary(dir string, speech *Speech, log *slog.Logger) *Library {
	return newLibrary(dir, packPlaces, speech, log)
}

func newLibrary(dir, places string, speech *Speech, log *slog.Logger) *Library {
	l := &Library{sentences: map[string][][]byte{}, speech: speech, log: log}
	for _, name := range audio.PromptNames() {
		sound, _ := audio.Prompt(name)
		l.sentences[name] = [][]byte{sound}
	}
	l.sentences["BEEP"] = [][]byte{audio.Beep()}
	if dir == "" {
		dir = findPack(places)
	} else if _, err := os.ReadDir(dir); err != nil {
		log.Warn("prompt pack cannot be read, using built-in prompts", "error", err)
		return l
	}
	if dir != "" {
		l.readPack(dir)
	}
	return l
}

// findPack is the first folder with a prompt that every pack has.
func findPack(places string) string {
	dirs, err := filepath.Glob(places)
	if err != nil {
		panic("media: bad pattern " + places)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "vm-intro.wav")); err == nil {
			return dir
		}
	}
	return ""
}

func (l *Library) readPack(dir string) {
	found := 0
	replace := func(name string, parts []string) {
		clips := make([][]byte, 0, len(parts))
		for _, part := range parts {
			clip, err := readPrompt(filepath.Join(dir, part))
			if errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err != nil {
				l.log.Warn("prompt left out", "error", err)
				return
			}
			clips = append(clips, clip)
		}
		l.sentences[name] = clips
		found++
	}
	for name, parts := range packSentences {
		replace(name, parts)
	}
	for n := 2; n <= mostSpoken; n++ {
		number := strconv.Itoa(n)
		replace("HOLD_POSITION_"+number, []string{"queue-thereare", "digits/" + number, "queue-callswaiting"})
	}
	l.pack = dir
	l.log.Info("prompt pack", "folder", dir, "sentences", found)
}

// readPrompt reads a file of a pack, whatever its format: name.wav, name.ulaw or name.alaw. It is brought to 8 kHz
// and to the level of our own prompts.
func readPrompt(name string) ([]byte, error) {
	var samples []int16
	file, err := readFile(name + ".wav")
	switch {
	case err == nil:
		sound, err := audio.ReadWAV(file)
		if err != nil {
			return nil, fmt.Errorf("%s.wav: %w", name, err)
		}
		if samples, err = audio.Resample(sound); err != nil {
			return nil, fmt.Errorf("%s.wav: %w", name, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		law := audio.ULaw
		if file, err = readFile(name + ".ulaw"); errors.Is(err, fs.ErrNotExist) {
			law = audio.ALaw
			file, err = readFile(name + ".alaw")
		}
		if err != nil {
			return nil, err
		}
		samples = audio.DecodeAll(file, law)
	}
	samples = audio.Trim(samples, trimMargin)
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s: nothing but silence", name)
	}
	audio.Level(samples, audio.SpeechLevel)
	return audio.EncodeAll(samples, audio.ULaw), nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPromptFile {
		return nil, fmt.Errorf("%s: no file of up to %d bytes", path, maxPromptFile)
	}
	return os.ReadFile(path)
}

// Pack is the folder that prompts are from, "" when all are built in.
func (l *Library) Pack() string { return l.pack }

// Say gives the clips of a prompt, mu-law at 8 kHz. number is the position for HOLD_POSITION, the key for
// HOLD_ESCAPE_VM, HOLD_CALLBACK and DIRECTORY_PICK (0-9, 10 for *, 11 for #) and of no meaning elsewhere; text is the
// telephone number, the name or the sentence of prompts that say one. A prompt nobody has is three low tones and a line
// in the log; a GREETING, and a TEXT that was never rendered, are nothing.
func (l *Library) Say(prompt string, number int, text string) [][]byte {
	switch prompt {
	case "GREETING":
		return nil
	case "TEXT":
		clip, _ := l.speech.Clip(text)
		return some(clip)
	case "HOLD_CALLBACK_NUMBER":
		return slices.Concat(l.sentence("HOLD_CALLBACK_NUMBER"), l.Spell(text), l.sentence("HOLD_CALLBACK_CHOICE"))
	case "CALLBACK_FOR":
		return slices.Concat(l.sentence("CALLBACK_FOR"), l.Spell(text))
	case "DIRECTORY_PICK":
		name, ok := l.speech.Clip(text)
		spoken := some(name)
		if !ok {
			spoken = l.Spell(text)
		}
		return slices.Concat(l.sentence("DIRECTORY_FOR"), spoken, l.sentence("PRESS_"+keyWord(number)))
	case "HOLD_POSITION":
		if number > mostSpoken {
			return l.sentence("HOLD_POSITION_MORE")
		}
		return l.sentence("HOLD_POSITION_" + strconv.Itoa(number))
	case "HOLD_ESCAPE_VM":
		return l.sentence(prompt + "_" + keyWord(number))
	case "HOLD_CALLBACK":
		return slices.Concat(l.sentence(prompt), l.sentence("PRESS_"+keyWord(number)))
	}
	return l.sentence(prompt)
}

func some(clip []byte) [][]byte {
	if clip == nil {
		return nil
	}
	return [][]byte{clip}
}

// keyWord is how the names of sentences call a key.
func keyWord(number int) string {
	switch number {
	case 10:
		return "STAR"
	case 11:
		return "POUND"
	}
	return strconv.Itoa(number)
}

func (l *Library) sentence(name string) [][]byte {
	if clips, ok := l.sentences[name]; ok {
		return clips
	}
	l.log.Warn("no such prompt", "prompt", name)
	return [][]byte{audio.Trouble()}
}

// Spell says a number digit by digit, or a name letter by letter, at most maxSpelled of them; what is neither digit,
// letter nor + is left out.
func (l *Library) Spell(text string) [][]byte {
	var clips [][]byte
	for _, c := range strings.ToUpper(text) {
		name := "SAY_" + string(c)
		if c == '+' {
			name = "SAY_PLUS"
		}
		if clip, ok := l.sentences[name]; ok && len(clips) < maxSpelled {
			clips = append(clips, clip...)
		}
	}
	return clips
}

// numberWords are how the API's upload types write numbers.
var numberWords = []string{
	"ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN",
}

// UploadType is the API's type of the upload that may replace a prompt: its own name, where the API has no other.
func UploadType(prompt string, number int) string {
	switch prompt {
	case "HOLD_POSITION":
		if number < 0 || number > mostSpoken {
			return prompt + "_MORE"
		}
		return prompt + "_" + numberWords[number]
	case "HOLD_ESCAPE_VM":
		if number >= 0 && number < 10 {
			return prompt + "_" + numberWords[number]
		}
		return prompt + "_" + keyWord(number)
	case "HOLD_CALLBACK":
		return "HOLD_CALLBACK_REQUEST"
	case "HOLD_CALLBACK_TYPE":
		return "HOLD_CALLBACK_KEYPAD"
	case "HOLD_CALLBACK_BOOKED":
		return "HOLD_CALLBACK_REQUESTED"
	case "HOLD_CALLBACK_NOT":
		return "HOLD_CALLBACK_REJECTED"
	}
	return prompt
}
