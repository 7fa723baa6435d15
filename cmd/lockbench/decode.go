package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/rwlock"
)

type decodeCmd struct {
	Kind  string   `complete:"mutex|qspinlock|rwlock|rwsem|semaphore" arg:"" help:"Kind of lock: mutex, qspinlock, rwlock (rw-readerpref and rw-queued), rwsem or semaphore."`
	Words []string `arg:"" name:"word" help:"What the lock held, as 0x00100101 or in decimal."`
}

// A decoder explains the word of one kind of lock.
type decoder struct {
	bits    int // of the word: 32 or 64
	explain func(word uint64) string
}

var decoders = map[string]decoder{
	"mutex":     {32, func(word uint64) string { return blocking.DecodeMutex(uint32(word)).String() }},
	"qspinlock": {32, func(word uint64) string { return qspinlock.Decode(uint32(word)).String() }},
	"rwlock":    {32, func(word uint64) string { return rwlock.Decode(uint32(word)).String() }},
	"rwsem":     {64, func(word uint64) string { return blocking.DecodeRWSem(word).String() }},
	"semaphore": {64, func(word uint64) string { return blocking.DecodeSemaphore(word).String() }},
}

func (c *decodeCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	decoder, known := decoders[c.Kind]
	if !known {
		decoder.bits = 64 // so that errors in the words are reported, too
		bad.Addf("unknown kind %q (known: %s)", c.Kind, strings.Join(slices.Sorted(maps.Keys(decoders)), ", "))
	}
	var words []uint64
	for _, s := range c.Words {
		word, err := parseWord(s, decoder.bits)
		bad.Add(err)
		words = append(words, word)
	}
	if len(bad) > 0 {
		return bad
	}
	for _, word := range words {
		fmt.Fprintf(con.Out, "0x%0*x: %s\n", decoder.bits/4, word, decoder.explain(word))
	}
	return nil
}

// parseWord reads a word. It refuses numbers with leading zeros, as a crash dump may
// print them, which Go would take for octal.
func parseWord(s string, bits int) (uint64, error) {
	word, err := strconv.ParseUint(s, 0, bits)
	if isHex := len(s) > 1 && s[0] == '0' && s[1] <= '9' || err != nil; isHex {
		if _, err := strconv.ParseUint(s, 16, bits); err == nil {
			return 0, fmt.Errorf("word %s: want 0x%s if that is hexadecimal", s, s)
		}
		return 0, fmt.Errorf("word %s: want %d bits, as 0x00100101 or in decimal", s, bits)
	}
	return word, nil
}
