package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/qspinlock"
)

type decodeCmd struct {
	Kind  string   `arg:"" help:"Kind of lock: qspinlock."`
	Words []string `arg:"" help:"What the lock held, as 0x00100101 or in decimal."`
}

// decoders explain a 32-bit lock word, by the kind of the lock.
var decoders = map[string]func(word uint32) string{
	"qspinlock": func(word uint32) string { return qspinlock.Decode(word).String() },
}

func (c *decodeCmd) Run(con console) error {
	var bad problems
	decode := decoders[c.Kind]
	if decode == nil {
		bad.addf("unknown kind %q (known: %s)", c.Kind, strings.Join(slices.Sorted(maps.Keys(decoders)), ", "))
	}
	var words []uint32
	for _, s := range c.Words {
		word, err := parseWord(s)
		bad.add(err)
		words = append(words, word)
	}
	if len(bad) > 0 {
		return bad
	}
	for _, word := range words {
		fmt.Fprintf(con.out, "0x%08x: %s\n", word, decode(word))
	}
	return nil
}

// parseWord reads a 32-bit word. It refuses what a crash dump may print but
// Go would take for octal.
func parseWord(s string) (uint32, error) {
	word, err := strconv.ParseUint(s, 0, 32)
	if isHex := len(s) > 1 && s[0] == '0' && s[1] <= '9' || err != nil; isHex {
		if _, err := strconv.ParseUint(s, 16, 32); err == nil {
			return 0, fmt.Errorf("word %s: want 0x%s if that is hexadecimal", s, s)
		}
		return 0, fmt.Errorf("word %s: want 32 bits, as 0x00100101 or in decimal", s)
	}
	return uint32(word), nil
}
