package main

import "context"

type simulateCommand struct{}

// Run is written with the simulator.
func (c *simulateCommand) Run(context.Context) error { return nil }
