package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/claims"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/engine"
)

type claimsCmd struct {
	Claims []string `arg:"" name:"claim" optional:"" help:"Names of claims; all that are simulated without them."`
	JSON   bool     `help:"Write JSON."`
}

func (c *claimsCmd) Run(con commandline.Console) error {
	if !engine.Virtual {
		return commandline.Problems{errors.New("this build runs locks on the host alone; to simulate them, go build -tags virtual ./cmd/locksim")}
	}
	var bad commandline.Problems
	all := slices.DeleteFunc(claims.All(), func(claim claims.Claim) bool { return !claim.Simulated })
	var names []string
	for _, claim := range all {
		names = append(names, claim.Name)
	}
	for _, name := range c.Claims {
		if !slices.Contains(names, name) {
			bad.Addf("unknown claim %q (simulated are: %s)", name, strings.Join(names, ", "))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	if len(c.Claims) > 0 {
		all = slices.DeleteFunc(all, func(claim claims.Claim) bool { return !slices.Contains(c.Claims, claim.Name) })
	}
	meter := commandline.NewMeter(con.Err, "locksim", commandline.Pace{First: time.Second, Every: time.Second})
	results, err := claims.Run(context.Background(), all, func(claim claims.Claim) {
		meter.Show(func() string { return "trying " + claim.Name + ": " + claim.Says })
	})
	meter.Clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return claims.WriteJSON(con.Out, results)
	}
	return claims.WriteText(con.Out, results)
}
