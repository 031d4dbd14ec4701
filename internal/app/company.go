package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// firstStart creates the company and its office in an empty database. It reports whether it did.
func firstStart(ctx context.Context, db *store.Store, cfg Config) (bool, error) {
	if db.Snapshot().Company() != nil {
		return false, nil
	}
	err := db.Update(ctx, "system", func(tx *store.Tx) error {
		company := &callcenter.Company{ID: callcenter.CompanyID(tx.NewID()), Name: cfg.Company}
		if err := tx.PutCompany(company); err != nil {
			return err
		}
		return tx.PutOffice(&callcenter.Office{
			ID: callcenter.OfficeID(tx.NewID()), Name: cfg.Company + " main office",
			Country: strings.ToLower(cfg.Country), Timezone: officeZone(cfg.Timezone), State: callcenter.StateActive,
		})
	})
	return err == nil, err
}

// officeZone is the zone asked for, else the host's, else UTC.
func officeZone(asked string) string {
	if asked != "" {
		return asked
	}
	if name := os.Getenv("TZ"); name != "" && known(name) {
		return name
	}
	if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok && known(name) {
			return name
		}
	}
	return "UTC"
}

func known(zone string) bool {
	_, err := time.LoadLocation(zone)
	return err == nil && zone != "Local"
}
