package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// KeyFile is the file of the key in the data directory. No backup of the database has it.
const KeyFile = "secret.key"

const keyBytes = 32 // AES-256

var (
	errNoKey = errors.New("the key of the secrets is not there: bring back " + KeyFile +
		" to the data directory or set SWITCHBOARD_SECRET_KEY, or delete the secrets and enter them again")
	errWrongKey = errors.New("cannot be opened: it was sealed with another key, or changed on disk")
)

// keyring is the key, once it is known.
type keyring struct {
	dir  string
	aead cipher.AEAD // nil: there is none yet
}

// read takes the key as given, or from the file if there is one.
func (k *keyring) read(given string) error {
	if given != "" {
		key, err := parseKey(given)
		if err != nil {
			return fmt.Errorf("SWITCHBOARD_SECRET_KEY: %w", err)
		}
		return k.take(key)
	}
	path := filepath.Join(k.dir, KeyFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the key of the secrets: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s can be read by others than its owner: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the key of the secrets: %w", err)
	}
	key, err := parseKey(string(bytes.TrimSpace(text)))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return k.take(key)
}

func parseKey(text string) ([]byte, error) {
	if key, err := hex.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	return nil, fmt.Errorf("is no key: %d bytes as hexadecimal digits or in base64", keyBytes)
}

func (k *keyring) take(key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	k.aead, err = cipher.NewGCM(block)
	return err
}

// ensure makes a key at the first use. While there are secrets, a missing one is lost, and not replaced.
func (k *keyring) ensure(inUse bool) error {
	switch {
	case k.aead != nil:
		return nil
	case inUse:
		return errNoKey
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	path := filepath.Join(k.dir, KeyFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(hex.EncodeToString(key) + "\n")
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("make the key of the secrets: %w", err)
	}
	if dir, err := os.Open(k.dir); err == nil { // so that the file's name outlives a power cut as well
		_ = dir.Sync()
		_ = dir.Close()
	}
	return k.take(key)
}

// seal encrypts, with a nonce before it. What it was sealed with as bound to must be the same when it is opened.
func (k *keyring) seal(plain, bound []byte) []byte {
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce)
	return k.aead.Seal(nonce, nonce, plain, bound)
}

func (k *keyring) unseal(sealed, bound []byte) ([]byte, error) {
	if k.aead == nil {
		return nil, errNoKey
	}
	size := k.aead.NonceSize()
	if len(sealed) < size {
		return nil, errWrongKey
	}
	plain, err := k.aead.Open(nil, sealed[:size], sealed[size:], bound)
	if err != nil {
		return nil, errWrongKey
	}
	return plain, nil
}

// binding ties a sealed secret to its name and hosts, so that nobody who can write to the database sends it elsewhere.
func binding(name string, hosts []string) []byte {
	b := []byte("switchboard secret 1\x00" + name)
	for _, host := range hosts {
		b = append(append(b, 0), host...)
	}
	return b
}
