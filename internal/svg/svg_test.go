package svg_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/svg"
)

// No text of an argument is taken for a part of the picture.
func TestPicture(t *testing.T) {
	p := svg.New(300.4, 100, `font-size="13"`, `a < b & "c"`)
	p.Add(`<text x="%d" fill="%s">%s</text>`, 7, "#222", "</text><b>")
	got := string(p.Bytes())
	const want = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100" width="300" height="100" font-size="13">
<title>a &lt; b &amp; &#34;c&#34;</title>
<text x="7" fill="#222">&lt;/text&gt;&lt;b&gt;</text>
</svg>
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	d := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
