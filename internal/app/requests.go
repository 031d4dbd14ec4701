package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"switchboard/internal/httptask"
	"switchboard/internal/script"
	"switchboard/internal/vault"
)

// openSecrets opens what workflows run scripts in and take secrets from.
func (a *App) openSecrets(ctx context.Context) (err error) {
	a.scripts = &script.Sandbox{}
	if a.vault, err = vault.Open(ctx, a.cfg.DataDir, a.cfg.SecretKey, a.store, time.Now); err != nil {
		return fmt.Errorf("open the secrets: %w", err)
	}
	return nil
}

// openRequests makes what sends the requests of workflows; those to this server go to handler.
func (a *App) openRequests(handler http.Handler) error {
	guard, err := a.cfg.guard()
	if err != nil {
		return err
	}
	own := ownAPI{store: a.store, handler: handler, now: time.Now}
	if own.listens, err = netip.ParseAddrPort(a.listener.Addr().String()); err != nil {
		return fmt.Errorf("read our own address: %w", err)
	}
	if own.public, err = a.cfg.publicURL(); err != nil {
		return err
	}
	a.requests = httptask.New(httptask.Config{
		Transport: guard.Transport(), Secrets: a.vault, Own: own, Version: Version,
	})
	return nil
}

// publicURL is where others reach the pages and the API; nil: nothing was said.
func (c Config) publicURL() (*url.URL, error) {
	if c.PublicURL == "" {
		return nil, nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("public-url: %q is no address such as https://calls.example.com", c.PublicURL)
	}
	return u, nil
}

// publicAddress is where a browser reaches the pages.
func (a *App) publicAddress() string {
	if a.cfg.PublicURL != "" {
		return strings.TrimSuffix(a.cfg.PublicURL, "/")
	}
	return a.URL()
}
