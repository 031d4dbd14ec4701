package store

import (
	"fmt"
	"testing"
)

func TestTagsAreKeptByKindAndName(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	put := func(kind, name string, replace bool, tags ...Tag) {
		t.Helper()
		if err := s.PutTags(t.Context(), kind, name, tags, replace); err != nil {
			t.Fatal(err)
		}
	}
	put("workflow", "a", false, Tag{Key: "k", Value: "1"}, Tag{Key: "k", Value: "2"})
	put("workflow", "a", false, Tag{Key: "k", Value: "1"})
	put("workflow", "b", false, Tag{Key: "k", Value: "1"})
	put("task", "a", false, Tag{Key: "t", Value: "1"})
	put("task", "a", true, Tag{Key: "t", Value: "2"})
	if err := s.DropTags(t.Context(), "workflow", "a", []Tag{{Key: "k", Value: "2"}, {Key: "none"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ kind, name, want string }{
		{"workflow", "a", "[{a k 1}]"},
		{"workflow", "", "[{a k 1} {b k 1}]"},
		{"task", "a", "[{a t 2}]"},
		{"", "", "[{a t 2} {a k 1} {b k 1}]"},
		{"secret", "a", "[]"},
	} {
		if got, err := s.Tags(t.Context(), c.kind, c.name); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%q %q: %v, %v", c.kind, c.name, got, err)
		}
	}
	if err := s.DropTags(t.Context(), "workflow", "a", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Tags(t.Context(), "workflow", "a"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestEnvironmentIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for _, v := range []Variable{{"B", []byte("1")}, {"A", []byte(`"x"`)}, {"B", []byte("2")}, {"C", []byte("3")}} {
		if err := s.PutVariable(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DropVariable(t.Context(), "C"); err != nil {
		t.Fatal(err)
	}
	got, err := s.Environment(t.Context())
	if err != nil || len(got) != 2 || got[0].Name != "A" || string(got[1].Doc) != "2" {
		t.Errorf("%v, %v", got, err)
	}
}
