// Package vault keeps the secrets of workflows: encrypted on disk, opened only to put them into a request to a host
// they may go to, and taken out again of whatever comes back (docs/reference/egress.md, Secrets).
//
// It refuses to give a secret back to anybody who asks, to send one to a host that is not its own, and to make a new
// key while there are secrets that the lost one opens.
package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// The limits of secrets.
const (
	MaxSecrets = 1000
	MaxValue   = 64 << 10 // bytes of JSON
	MaxHosts   = 50
	// MinText is the shortest text that may be in a secret, in bytes: what is shorter cannot be kept out of answers.
	MinText = 4
)

// usedEvery bounds how often the use of one secret is noted on disk.
const usedEvery = time.Minute

// Errors of the vault.
var (
	ErrUnknown = errors.New("there is no such secret")
	ErrHost    = errors.New("the secret may not be sent to this host")
	ErrFull    = fmt.Errorf("there are %d secrets already", MaxSecrets)
)

// Invalid says what is wrong with a name, a value or hosts.
type Invalid struct{ error }

// Records keeps sealed secrets.
type Records interface {
	Secrets(ctx context.Context) ([]store.Secret, error)
	PutSecret(ctx context.Context, secret store.Secret) error
	DeleteSecret(ctx context.Context, name string) (bool, error)
	SecretUsed(name string, at time.Time)
}

// Secret is what may be known of one.
type Secret struct {
	Name    string
	Hosts   []string // where it may be sent; empty: to the host that a definition writes down
	Created time.Time
	Updated time.Time
	Used    time.Time // zero: never; exact to a minute
}

// Vault holds the secrets of a company. Safe for concurrent use.
type Vault struct {
	records Records
	now     func() time.Time
	key     keyring

	mu      sync.RWMutex
	secrets map[string]store.Secret
}

// Open reads the secrets of a data directory. key is 32 bytes as 64 hexadecimal digits or in base64; empty: the file
// KeyFile in the directory, made when the first secret is.
func Open(ctx context.Context, dir, key string, records Records, now func() time.Time) (*Vault, error) {
	v := &Vault{records: records, now: now, secrets: map[string]store.Secret{}, key: keyring{dir: dir}}
	if err := v.key.read(key); err != nil {
		return nil, err
	}
	list, err := records.Secrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	for _, s := range list {
		v.secrets[s.Name] = s
	}
	return v, nil
}

// List tells what there is, by name.
func (v *Vault) List() []Secret {
	v.mu.RLock()
	defer v.mu.RUnlock()
	list := make([]Secret, 0, len(v.secrets))
	for _, name := range slices.Sorted(maps.Keys(v.secrets)) {
		s := v.secrets[name]
		list = append(list, Secret{
			Name: s.Name, Hosts: slices.Clone(s.Hosts), Created: s.Created, Updated: s.Updated, Used: s.Used,
		})
	}
	return list
}

// Has says whether there is a secret of this name.
func (v *Vault) Has(name string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	_, ok := v.secrets[name]
	return ok
}

// nameForm keeps names to what an expression can say.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// Put makes a secret or replaces it. value is text, or an object or list of texts of which expressions take parts.
// hosts are names, with *. before them for all below, each also with :PORT; none: see Secret.
func (v *Vault) Put(ctx context.Context, name string, value flow.Value, hosts []string) error {
	if !nameForm.MatchString(name) {
		return Invalid{errors.New("name: letters, digits, _ and -, at most 100")}
	}
	if err := checkValue(value); err != nil {
		return Invalid{fmt.Errorf("value: %w", err)}
	}
	bound, err := checkHosts(hosts)
	if err != nil {
		return Invalid{fmt.Errorf("hosts: %w", err)}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	old, replaced := v.secrets[name]
	others := len(v.secrets)
	if replaced {
		others--
	}
	if others >= MaxSecrets {
		return ErrFull
	}
	if err := v.key.ensure(others > 0); err != nil {
		return err
	}
	now := v.now()
	secret := store.Secret{Name: name, Hosts: bound, Created: now, Updated: now}
	if replaced {
		secret.Created, secret.Used = old.Created, old.Used
	}
	secret.Sealed = v.key.seal(flow.Encode(value), binding(name, bound))
	if err := v.records.PutSecret(ctx, secret); err != nil {
		return err
	}
	v.secrets[name] = secret
	return nil
}

// Delete removes a secret; false: there is none.
func (v *Vault) Delete(ctx context.Context, name string) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	deleted, err := v.records.DeleteSecret(ctx, name)
	if err == nil {
		delete(v.secrets, name)
	}
	return deleted, err
}

// open gives the value of a secret and notes its use.
func (v *Vault) open(name string) (store.Secret, flow.Value, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	secret, ok := v.secrets[name]
	if !ok {
		return secret, nil, fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	text, err := v.key.unseal(secret.Sealed, binding(name, secret.Hosts))
	if err != nil {
		return secret, nil, fmt.Errorf("secret %s: %w", name, err)
	}
	value, err := flow.Decode(text)
	if err != nil {
		return secret, nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return secret, value, nil
}

func (v *Vault) used(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	secret, ok := v.secrets[name]
	if now := v.now(); ok && now.Sub(secret.Used) >= usedEvery {
		secret.Used = now
		v.secrets[name] = secret
		v.records.SecretUsed(name, now)
	}
}

func checkValue(value flow.Value) error {
	if size := len(flow.Encode(value)); size > MaxValue {
		return fmt.Errorf("%d bytes of JSON, at most %d", size, MaxValue)
	}
	return checkPart(value)
}

func checkPart(value flow.Value) error {
	switch value := value.(type) {
	case string:
		if len(value) < MinText {
			return fmt.Errorf("a text is shorter than %d bytes, too short to be kept out of answers", MinText)
		}
		return nil
	case flow.Map:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if err := checkPart(value[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if len(value) > 0 {
			return nil
		}
	case []any:
		for i, part := range value {
			if err := checkPart(part); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		if len(value) > 0 {
			return nil
		}
	}
	return errors.New("is neither text nor an object or list of texts")
}
