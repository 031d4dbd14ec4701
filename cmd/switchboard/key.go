package main

import (
	"context"
	"fmt"

	"switchboard/internal/app"
)

type keyCommands struct {
	Create keyCreateCommand `cmd:"" help:"Make a key and print it, once. It works at once in a running server."`
	SignIn keySignInCommand `cmd:"" name:"sign-in" help:"Print a link that signs a browser in, once, within an hour."`
}

type keyCreateCommand struct {
	Data  string `default:"switchboard-data" type:"path" help:"Directory of the server's data."`
	Role  string `required:"" enum:"company-admin,user" help:"company-admin changes everything, user reads."`
	Email string `help:"Whose key it is (role user). Without it a user key only reads."`
}

// Run prints the key and nothing else, so that scripts can take it.
func (c *keyCreateCommand) Run(ctx context.Context) error {
	key, err := app.CreateKey(ctx, c.Data, c.Role, c.Email)
	if err == nil {
		fmt.Println(key)
	}
	return err
}

type keySignInCommand struct {
	Data string `default:"switchboard-data" type:"path" help:"Directory of the server's data."`
	HTTP string `help:"host:port of the server's pages (default: where it last served them)."`
}

// Run prints the link.
func (c *keySignInCommand) Run(ctx context.Context) error {
	url := ""
	if c.HTTP != "" {
		url = "http://" + c.HTTP
	}
	link, err := app.CreateSignInLink(ctx, c.Data, url)
	if err == nil {
		fmt.Println(link)
	}
	return err
}

type backupCommand struct {
	Data string `default:"switchboard-data" type:"path" help:"Directory of the server's data."`
	To   string `arg:"" type:"path" help:"The file to write. It must not exist."`
}

// Run copies the database.
func (c *backupCommand) Run(ctx context.Context) error { return app.Backup(ctx, c.Data, c.To) }
