package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

func open(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// update runs a change that must succeed.
func update(t testing.TB, s *Store, change func(*Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), "test", change); err != nil {
		t.Fatal(err)
	}
}

func center(id callcenter.ID, name string, members ...callcenter.OperatorID) *callcenter.Center {
	c := &callcenter.Center{ID: id, OfficeID: 1, State: callcenter.StateActive}
	c.Settings.Name = name
	c.Settings.Hours[time.Monday] = callcenter.DayHours{"08:00", "18:00"}
	for _, m := range members {
		c.Members = append(c.Members, callcenter.Member{Operator: m, Role: callcenter.RoleOperator, SkillLevel: 50})
	}
	return c
}

func user(id callcenter.OperatorID, emails ...string) *callcenter.User {
	return &callcenter.User{ID: id, OfficeID: 1, FirstName: "Ada", Emails: emails, State: callcenter.StateActive}
}

// furnish puts one or two records of every kind.
func furnish(tx *Tx) error {
	return errors.Join(
		tx.PutCompany(&callcenter.Company{ID: 100, Name: "Acme"}),
		tx.PutOffice(&callcenter.Office{ID: 1, Name: "Home", Timezone: "Europe/Vienna", State: callcenter.StateActive}),
		tx.PutUser(user(11, "Ada@Example.com", "ada2@example.com")),
		tx.PutUser(user(12, "bob@example.com")),
		tx.PutCenter(center(22, "Sales", 11, 12)),
		tx.PutCenter(center(21, "Support", 11)),
		tx.PutDevice(&callcenter.Device{
			ID: 31, Owner: 11, Kind: callcenter.DeviceRegistered, Username: "ada",
			HA1: callcenter.Digest{MD5: "topsecret5", SHA256: "topsecret256"},
		}),
		tx.PutDevice(&callcenter.Device{ID: 32, Owner: 11, Kind: callcenter.DeviceStatic, Contact: "sip:a@127.0.0.1"}),
		tx.PutNumber(&callcenter.Number{E164: "+4312345", Status: callcenter.NumberReserved}),
		tx.PutTrunk(&callcenter.Trunk{ID: 41, Name: "carrier", Addresses: []string{"192.0.2.1"}}),
		tx.PutCallRouter(&callcenter.CallRouter{ID: 51, Name: "script", Secret: "topsecretrouter"}),
		tx.PutWebhook(&callcenter.Webhook{ID: 61, URL: "https://example.com", Secret: "topsecrethook"}),
		tx.PutSubscription(&callcenter.Subscription{ID: 71, Kind: callcenter.CallEvents, Webhook: 61, Enabled: true}),
		tx.PutCustomPrompt(&callcenter.CustomPrompt{ID: 81, Type: "MENU", Path: "a.ulaw"}),
		tx.PutKey(&Key{ID: "abcdefghij", SecretHash: [32]byte{1, 2, 3}, Role: RoleCompanyAdmin}),
		tx.PutKey(&Key{ID: "narrowed00", Role: RoleUser, Scopes: []string{}, User: 11}),
	)
}

// accessors is what every reader must say after furnish, whether it is a Snapshot or a Tx.
func accessors(t *testing.T, s *Snapshot) {
	t.Helper()
	check := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s is wrong", what)
		}
	}
	check("Company", s.Company() != nil && s.Company().Name == "Acme")
	office, ok := s.Office(1)
	check("Office", ok && office.Name == "Home" && office.Version == 1)
	check("Offices", len(s.Offices()) == 1 && s.Offices()[0] == office)
	sales, ok := s.Center(22)
	check("Center", ok && sales.Settings.Name == "Sales" && len(sales.Members) == 2)
	support, ok := s.Center(21)
	check("Center", ok && support.Settings.Name == "Support")
	check("Centers, oldest first", reflect.DeepEqual(s.Centers(), []*callcenter.Center{sales, support}))
	check("CentersOf(11)", reflect.DeepEqual(s.CentersOf(11), []*callcenter.Center{sales, support}))
	check("CentersOf(12)", reflect.DeepEqual(s.CentersOf(12), []*callcenter.Center{sales}))
	check("CentersOf(13)", len(s.CentersOf(13)) == 0)
	ada, ok := s.User(11)
	check("User", ok && ada.FirstName == "Ada")
	check("Users", len(s.Users()) == 2 && s.Users()[0] == ada)
	byEmail, ok := s.UserByEmail("ADA2@example.COM")
	check("UserByEmail", ok && byEmail == ada)
	phone, ok := s.Device(31)
	check("Device", ok && phone.HA1.MD5 == "topsecret5" && phone.HA1.SHA256 == "topsecret256")
	byName, ok := s.DeviceByUsername("ada")
	check("DeviceByUsername", ok && byName == phone)
	check("Devices", len(s.Devices()) == 2 && s.Devices()[0] == phone)
	check("DevicesOf", len(s.DevicesOf(11)) == 2 && s.DevicesOf(11)[0] == phone && len(s.DevicesOf(12)) == 0)
	number, ok := s.Number("+4312345")
	check("Number", ok && number.Status == callcenter.NumberReserved)
	router, ok := s.CallRouter(51)
	check("CallRouter", ok && router.Secret == "topsecretrouter" && len(s.CallRouters()) == 1)
	hook, ok := s.Webhook(61)
	check("Webhook", ok && hook.Secret == "topsecrethook" && len(s.Webhooks()) == 1)
	subscription, ok := s.Subscription(71)
	check("Subscription", ok && subscription.Webhook == 61 && len(s.Subscriptions()) == 1)
	prompt, ok := s.CustomPrompt(81)
	check("CustomPrompt", ok && prompt.Type == "MENU" && len(s.CustomPrompts()) == 1)
	check("Numbers", len(s.Numbers()) == 1 && s.Numbers()[0] == number)
	trunk, ok := s.Trunk(41)
	check("Trunk", ok && trunk.Addresses[0] == "192.0.2.1")
	check("Trunks", len(s.Trunks()) == 1 && s.Trunks()[0] == trunk)
	key, ok := s.Key("abcdefghij")
	check("Key", ok && key.SecretHash == [32]byte{1, 2, 3} && key.Scopes == nil)
	narrow, ok := s.Key("narrowed00")
	check("Key narrowed to nothing", ok && narrow.Scopes != nil && len(narrow.Scopes) == 0)
	check("Keys", len(s.Keys()) == 2 && s.Keys()[0] == key)
	_, known := s.Center(99)
	check("an unknown id", !known)
}

func TestAccessorsInTheChangeAfterItAndAfterRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if s.Snapshot().Company() != nil || len(s.Snapshot().Centers()) != 0 {
		t.Error("a fresh database is not empty")
	}
	update(t, s, func(tx *Tx) error {
		if err := furnish(tx); err != nil {
			return err
		}
		accessors(t, tx.pending)
		return nil
	})
	accessors(t, s.Snapshot())
	before := s.Snapshot()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, Options{})
	accessors(t, again.Snapshot())
	if !reflect.DeepEqual(before.Centers(), again.Snapshot().Centers()) {
		t.Error("call centers differ after a restart")
	}
}

func TestPutKeepsSeqAndCountsVersions(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 5, time.UTC)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	update(t, s, furnish)
	old, _ := s.Snapshot().Center(22)
	now = now.Add(time.Hour)
	update(t, s, func(tx *Tx) error {
		if !tx.Now().Equal(now) {
			t.Errorf("Now is %v", tx.Now())
		}
		return tx.PutCenter(center(22, "Sales II", 12))
	})
	c, _ := s.Snapshot().Center(22)
	want := callcenter.Record{Seq: old.Seq, Version: 2, CreatedAt: old.CreatedAt}
	if c.Record != want || old.Version != 1 || old.Settings.Name != "Sales" {
		t.Errorf("record %+v, want %+v; the old one is now %+v", c.Record, want, old.Record)
	}
	if list := s.Snapshot().CentersOf(11); len(list) != 1 || list[0].ID != 21 {
		t.Errorf("Ada has %d centers after leaving one", len(list))
	}
	if list := s.Snapshot().CentersOf(12); len(list) != 1 || list[0] != c {
		t.Error("Bob does not see the changed center")
	}
}

func TestDelete(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	update(t, s, furnish)
	before := s.Snapshot()
	update(t, s, func(tx *Tx) error {
		for _, remove := range []func() (bool, error){
			func() (bool, error) { return tx.DeleteOffice(1) },
			func() (bool, error) { return tx.DeleteCenter(22) },
			func() (bool, error) { return tx.DeleteUser(11) },
			func() (bool, error) { return tx.DeleteDevice(31) },
			func() (bool, error) { return tx.DeleteNumber("+4312345") },
			func() (bool, error) { return tx.DeleteTrunk(41) },
			func() (bool, error) { return tx.DeleteKey("abcdefghij") },
		} {
			if ok, err := remove(); !ok || err != nil {
				t.Errorf("delete: %v, %v", ok, err)
			}
			if ok, err := remove(); ok || err != nil {
				t.Errorf("delete again: %v, %v", ok, err)
			}
		}
		return nil
	})
	accessors(t, before) // what somebody holds does not change
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*Snapshot{s.Snapshot(), open(t, dir, Options{}).Snapshot()} {
		left := []int{
			len(n.Offices()), len(n.Centers()), len(n.Users()), len(n.Devices()), len(n.Numbers()), len(n.Trunks()),
			len(n.Keys()), len(n.CentersOf(11)), len(n.CentersOf(12)), len(n.DevicesOf(11)),
		}
		if !reflect.DeepEqual(left, []int{0, 1, 1, 1, 0, 0, 1, 1, 0, 1}) {
			t.Errorf("left after deletes: %v", left)
		}
		_, email := n.UserByEmail("ada2@example.com")
		_, name := n.DeviceByUsername("ada")
		if email || name {
			t.Error("a deleted record is still found by its other name")
		}
	}
}

func TestDuplicates(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	for _, c := range []struct {
		field  string
		change func(*Tx) error
	}{
		{"email", func(tx *Tx) error { return tx.PutUser(user(13, "new@example.com", "ADA2@EXAMPLE.COM")) }},
		{"username", func(tx *Tx) error { return tx.PutDevice(&callcenter.Device{ID: 33, Owner: 12, Username: "ada"}) }},
	} {
		err := s.Update(t.Context(), "test", c.change)
		dup, ok := errors.AsType[ErrDuplicate](err)
		if !ok || dup.Field != c.field || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	update(t, s, func(tx *Tx) error { // one's own address in other letters, twice, is no conflict
		return tx.PutUser(user(11, "ADA2@example.com", "ada2@example.com"))
	})
	update(t, s, func(tx *Tx) error { // a deleted person's address is free
		gone := user(11, "ada2@example.com")
		gone.State = callcenter.StateDeleted
		return errors.Join(tx.PutUser(gone), tx.PutUser(user(13, "ada2@example.com")))
	})
	if u, ok := s.Snapshot().UserByEmail("ada2@example.com"); !ok || u.ID != 13 {
		t.Error("the address did not pass on")
	}
	if err := s.Update(t.Context(), "test", func(tx *Tx) error {
		return tx.PutCompany(&callcenter.Company{ID: 101})
	}); err == nil {
		t.Error("a second company was taken")
	}
}

func TestHistoryHasBeforeAndAfterButNoSecret(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	update(t, s, func(tx *Tx) error { return tx.PutCenter(center(22, "Sales II")) })
	update(t, s, func(tx *Tx) error {
		_, err := tx.DeleteCenter(22)
		return err
	})
	list, err := s.History(t.Context(), KindCenter, "22")
	if err != nil || len(list) != 3 {
		t.Fatalf("%d revisions, %v", len(list), err)
	}
	deleted, changed, created := list[0], list[1], list[2]
	if created.Before != nil || deleted.After != nil || !bytes.Equal(created.After, changed.Before) ||
		!bytes.Equal(changed.After, deleted.Before) || !bytes.Contains(changed.After, []byte("Sales II")) ||
		changed.By != "test" || changed.At.IsZero() {
		t.Errorf("history: %+v", list)
	}
	for kind, id := range map[Kind]string{
		KindDevice: "31", KindKey: "abcdefghij", KindCompany: "100", KindRouter: "51", KindWebhook: "61",
	} {
		list, err := s.History(t.Context(), kind, id)
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %d revisions, %v", kind, len(list), err)
		}
		for _, secret := range []string{"topsecret", "HA1", "SecretHash"} {
			if bytes.Contains(list[0].After, []byte(secret)) {
				t.Errorf("%s shows %s: %s", kind, secret, list[0].After)
			}
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, func(tx *Tx) error {
		for i := range MaxHistory + 1 {
			if err := tx.PutTrunk(&callcenter.Trunk{ID: 1, Name: fmt.Sprintf("version %d;", i+1)}); err != nil {
				return err
			}
		}
		return nil
	})
	list, err := s.History(t.Context(), KindTrunk, "1")
	if err != nil || len(list) != MaxHistory || !bytes.Contains(list[MaxHistory-1].After, []byte("version 2;")) {
		t.Errorf("%d revisions, %v", len(list), err)
	}
}

func TestNewIDIsSmallAndFree(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	update(t, s, func(tx *Tx) error {
		seen := map[int64]bool{}
		for range 1000 {
			id := tx.NewID()
			if id <= 0 || id > MaxID || tx.taken(id) || seen[id] {
				t.Errorf("bad id %d", id)
			}
			seen[id] = true
		}
		for _, id := range []int64{100, 1, 11, 21, 31, 41} {
			if !tx.taken(id) {
				t.Errorf("id %d counts as free", id)
			}
		}
		return nil
	})
}

func TestOnlyOneProcessOpensADirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{})
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir, Options{})
	update(t, s, furnish)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := connect(filepath.Join(dir, fileName), 1, false)
	if _, err := db.Exec("PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "1000") {
		t.Errorf("Open: %v", err)
	}
	if _, err := OpenBeside(t.Context(), dir); !errors.Is(err, ErrNewer) {
		t.Errorf("OpenBeside: %v", err)
	}
	if _, err := Open(dir, Options{}); errors.Is(err, ErrInUse) {
		t.Error("a refused Open kept the lock")
	}
}

func TestMigrationsRunFromAnEmptyFileAndOnlyOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBeside(t.Context(), dir); err == nil {
		t.Error("OpenBeside took a database that was never migrated")
	}
	for range 2 {
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		have, want, err := version(t.Context(), s.readers)
		if err != nil || have != want || want == 0 {
			t.Errorf("version %d of %d, %v", have, want, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSomethingElseThanADatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("this is no database. ", 100)
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), fileName) {
		t.Errorf("Open: %v", err)
	}
}

func TestKeyAddedBesideARunningServerWorksAtOnce(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenBeside(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenBeside of an empty directory: %v", err)
	}
	s := open(t, dir, Options{})
	update(t, s, furnish)
	beside, err := OpenBeside(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	ada, ok, err := beside.UserByEmail(t.Context(), "ADA2@example.com")
	if err != nil || !ok || ada.ID != 11 {
		t.Fatalf("UserByEmail: %v, %v, %v", ada, ok, err)
	}
	if _, ok, err := beside.UserByEmail(t.Context(), "nobody@example.com"); ok || err != nil {
		t.Errorf("UserByEmail of nobody: %v, %v", ok, err)
	}
	key := &Key{ID: "0123456789", SecretHash: [32]byte{9}, Role: RoleUser, User: ada.ID}
	if err := beside.AddKey(t.Context(), "command line", key); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Key(t.Context(), "9876543210"); ok || err != nil {
		t.Errorf("unknown key: %v, %v", ok, err)
	}
	got, ok, err := s.Key(t.Context(), key.ID)
	if err != nil || !ok || !reflect.DeepEqual(got, key) {
		t.Fatalf("Key: %+v, %v, %v", got, ok, err)
	}
	if _, ok := s.Snapshot().Key(key.ID); !ok {
		t.Error("the key is not kept")
	}
	if err := beside.AddKey(t.Context(), "command line", key); !errors.Is(err, ErrDuplicate{KindKey, "id"}) {
		t.Errorf("AddKey again: %v", err)
	}
	list, err := s.History(t.Context(), KindKey, key.ID)
	if err != nil || len(list) != 1 || list[0].By != "command line" {
		t.Errorf("history: %+v, %v", list, err)
	}
	update(t, s, func(tx *Tx) error { return tx.PutCenter(center(23, "Later")) })
	if later, _ := s.Snapshot().Center(23); later.Seq <= key.Seq {
		t.Errorf("seq %d was given again after %d", later.Seq, key.Seq)
	}
}

func TestKeyAddedBesideCanBeDeletedBeforeItWasEverUsed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	beside, err := OpenBeside(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	if err := beside.AddKey(t.Context(), "command line", &Key{ID: "0123456789"}); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		if ok, err := tx.DeleteKey("0123456789"); !ok || err != nil {
			t.Errorf("delete: %v, %v", ok, err)
		}
		return nil
	})
	if _, ok, err := s.Key(t.Context(), "0123456789"); ok || err != nil {
		t.Errorf("deleted key: %v, %v", ok, err)
	}
}

func TestKeysAddedBesideWhileTheServerWrites(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	beside, err := OpenBeside(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			if err := s.Update(context.Background(), "test", func(tx *Tx) error {
				return tx.PutCenter(center(callcenter.ID(i+1), "busy"))
			}); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 10 {
		id := string(rune('a'+i)) + "bcdefghij"
		if err := beside.AddKey(t.Context(), "command line", &Key{ID: id}); err != nil {
			t.Error(err)
		}
		if _, ok, err := s.Key(t.Context(), id); !ok || err != nil {
			t.Errorf("key %s: %v, %v", id, ok, err)
		}
	}
	wg.Wait()
	if len(s.Snapshot().Centers()) != 50 || len(s.Snapshot().Keys()) != 10 {
		t.Error("something was lost")
	}
}

func TestWriterAsksForDurability(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "5000"} {
		var got string
		if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q, %v", pragma, got, want, err)
		}
	}
}
