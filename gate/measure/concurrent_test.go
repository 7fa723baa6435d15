package measure

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStartGoroutines(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for name, text := range map[string]string{
		"m.go": `package m
import "sync"
type T struct{ wg sync.WaitGroup }
func (t *T) Serve() { go t.loop() }
func (t *T) Spread() { t.wg.Go(t.loop) }
func (*T) Run() { go println() }
func (*T) Println() { go println() }
func (*T) loop() {}
func plain(n int) int { if n > 0 { return plain(n - 1) }; return 0 }
func deep() { deeper() }
func deeper() { func() { go plain(1) }() }
`,
		"m_test.go": `package m_test
import ("fmt"; "testing"; m2 "example.com/m")
func BenchmarkPlain(b *testing.B) { fmt.Println(m2.Plain(3)); b.Run("x", func(b *testing.B) {}) }
func BenchmarkParallel(b *testing.B) { b.RunParallel(nil) }
func BenchmarkPart(b *testing.B) { b.Run("x", func(b *testing.B) { go fmt.Println() }) }
func BenchmarkMethod(b *testing.B) { var t m2.T; t.Serve() }
func BenchmarkGroup(b *testing.B) { var t m2.T; t.Spread() }
func BenchmarkOwnRun(b *testing.B) { var t m2.T; t.Run() }
func BenchmarkDeep(b *testing.B) { m2.deep() }
func BenchmarkValue(b *testing.B) { b.Run("x", bench) }
func BenchmarkTable(b *testing.B) { for _, f := range table { b.Run("x", f) } }
func bench(b *testing.B) { go fmt.Println() }
var table = []func(*testing.B){func(b *testing.B) { go fmt.Println() }}
`,
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	starts := startGoroutines("example.com/m", files)
	for name, want := range map[string]bool{
		"Plain": false, "Parallel": true, "Part": true, "Method": true, "Group": true, "OwnRun": true, "Deep": true, "Value": true, "Table": true,
	} {
		if got := starts("Benchmark" + name); got != want {
			t.Errorf("Benchmark%s starts goroutines: %t, want %t", name, got, want)
		}
	}
}
