// Site writes the documentation as pages of HTML, for a browser without a network: README
// and all pages of docs, with their figures and the raw data, and a search over all of
// them.
//
//	go run ./tools/site -out site
//
// It is run in a checkout. The directory must not exist, or have been written by this
// command.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns 0, or 1 if something could not be read or written, or 2 if the command line
// makes no sense.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("site", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "site", "directory to write")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "site: unexpected argument %s\n", flags.Arg(0))
		return 2
	}
	if err := replaceable(*out); err != nil {
		fmt.Fprintf(stderr, "site: %v\n", err)
		return 2
	}
	n, err := write(".", *out)
	if err != nil {
		fmt.Fprintf(stderr, "site: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s\n\t%d pages: open it in a browser\n", filepath.Join(*out, "index.html"), n)
	return 0
}

// replaceable returns an error if dir exists and is not of this command.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, mark)); err != nil {
		return fmt.Errorf("-out %s: exists, and is no site: want another name", dir)
	}
	return nil
}
