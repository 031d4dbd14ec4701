package app

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/console"
	"switchboard/internal/store"
)

// What callers left and what was recorded is listed newest first, opened and noted, in both kinds alike.
func TestShelves(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Update(t.Context(), "test", func(tx *store.Tx) error {
		return tx.PutUser(&callcenter.User{ID: 12, FirstName: "Ada", LastName: "Marsh", Emails: []string{"a@b.example"}})
	}); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0)
	for id := int64(1); id <= 3; id++ {
		path := "sound" + string(rune('0'+id))
		if err := os.WriteFile(filepath.Join(dir, path), []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
		at := at.Add(time.Duration(id) * time.Second)
		db.SaveVoicemail(store.VoicemailRecord{ID: id, At: at, Path: path, Complete: true})
		db.SaveRecording(store.RecordingRecord{ID: id, At: at, Path: path, Complete: true})
	}
	if err := errors.Join(db.Flush(t.Context()), db.Listened(t.Context(), 3, 12)); err != nil {
		t.Fatal(err)
	}
	shelves := map[string]console.Shelf{
		"voicemails": voicemailShelf{db, dir}, "recordings": recordingShelf{db, dir},
	}
	for name, shelf := range shelves {
		t.Run(name, func(t *testing.T) { onShelf(t, shelf, name == "voicemails") })
	}
}

func onShelf(t *testing.T, shelf console.Shelf, byAda bool) {
	if err := shelf.Heard(t.Context(), 3, "page 1"); err != nil {
		t.Fatal(err)
	}
	first, next, err := shelf.List(t.Context(), "", 2)
	if err != nil || len(first) != 2 || first[0].ID != 3 || first[1].ID != 2 || next == "" {
		t.Fatalf("the first page is %+v, then %q (%v)", first, next, err)
	}
	var names []string
	for _, h := range first[0].Heard {
		names = append(names, h.By)
	}
	if byAda && (len(names) != 2 || names[0] != "Ada Marsh") || names[len(names)-1] != "page 1" {
		t.Errorf("heard by %q", names)
	}
	rest, next, err := shelf.List(t.Context(), next, 2)
	if err != nil || len(rest) != 1 || rest[0].ID != 1 || next != "" {
		t.Errorf("the second page is %+v, then %q (%v)", rest, next, err)
	}
	if _, _, err := shelf.List(t.Context(), "x", 2); !errors.Is(err, console.ErrPlace) {
		t.Errorf("a place of nowhere gave %v", err)
	}
	file, err := shelf.Open(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if sound, err := io.ReadAll(file); string(sound) != "sound2" {
		t.Errorf("opened %q (%v)", sound, err)
	}
	if _, err := shelf.Open(t.Context(), 9); !errors.Is(err, console.ErrNoTape) {
		t.Errorf("an unknown tape gave %v", err)
	}
	if err := shelf.Heard(t.Context(), 9, "page 1"); !errors.Is(err, console.ErrNoTape) {
		t.Errorf("hearing an unknown tape gave %v", err)
	}
}
