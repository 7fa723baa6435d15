package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The figures in docs are those that are drawn, and well-formed.
func TestFigures(t *testing.T) {
	for name, draw := range figures {
		want := draw()
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what is drawn: go run ./internal/figures", name)
		}
		d := xml.NewDecoder(bytes.NewReader(want))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}
