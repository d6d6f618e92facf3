package redact

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// secrets returns n secrets of 40 characters, the length of a token.
func secrets(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]string, n)
	for i := range all {
		raw := make([]byte, 30)
		for j := range raw {
			raw[j] = byte(random.Uint32())
		}
		all[i] = base64.RawURLEncoding.EncodeToString(raw)
	}
	return all
}

// BenchmarkWriter measures the throughput, in writes of the size that a job's
// output has.
func BenchmarkWriter(b *testing.B) {
	const size = 32 << 10
	line := "ok  \tgithub.com/switchyard-ci/switchyard/internal/job\t0.412s\tcoverage: 81.3% of statements\n"
	random := make([]byte, size)
	for i := range random {
		random[i] = byte(rand.Uint32()) //nolint:gosec // test data
	}
	for _, n := range []int{0, 1, 100, 1000, -100} {
		all, kind := secrets(max(n, -n)), ""
		if n < 0 { // with characters that tools escape
			for i := range all {
				all[i] = "it's $" + all[i][3:] + "&"
			}
			n, kind = -n, "escaped/"
		}
		texts := []struct {
			name string
			text []byte
		}{
			{"plain", bytes.Repeat([]byte(line), size/len(line))},
			{"base64", []byte(base64.StdEncoding.EncodeToString(random)[:size])},
			{"colored", bytes.Repeat([]byte("\x1b[32m"+strings.ReplaceAll(line, "\t", "\x1b[m\t")), size/len(line))},
		}
		if n > 0 {
			texts = append(texts, struct {
				name string
				text []byte
			}{"a secret in each line", bytes.Repeat([]byte("token: "+all[n-1]+"\n"), size/48)})
		}
		for _, text := range texts {
			b.Run(fmt.Sprintf("%d/%s%s", n, kind, text.name), func(b *testing.B) {
				w := NewWriter(&Secrets{}, io.Discard)
				if err := w.secrets.Add(all...); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(text.text)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := w.Write(text.text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkAdd measures adding n secrets to an empty set, and building it.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := secrets(n)
			b.ReportAllocs()
			for b.Loop() {
				w := NewWriter(&Secrets{}, io.Discard)
				if err := w.secrets.Add(all...); err != nil {
					b.Fatal(err)
				}
				if _, err := w.secrets.current(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
