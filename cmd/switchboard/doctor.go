package main

import (
	"context"
	"errors"
	"fmt"

	"switchboard/internal/app"
)

type doctorCommand struct {
	serverFlags
	Data string `default:"switchboard-data" type:"path" help:"Directory of the server's data."`
}

// Run prints what it found. It fails when something is missing, so that scripts can ask.
func (c *doctorCommand) Run(context.Context) error {
	missing := 0
	for _, f := range app.Doctor(c.config(c.Data)) {
		mark := "ok     "
		if !f.OK {
			mark = "MISSING"
			missing++
		}
		fmt.Printf("%s  %-16s %s\n", mark, f.Name, f.Text)
		if !f.OK && f.Mend != "" {
			fmt.Printf("         %-16s mend: %s\n", "", f.Mend)
		}
	}
	if missing > 0 {
		return errors.New(fmt.Sprint(missing, " of these want mending; calls work without the optional ones"))
	}
	return nil
}
