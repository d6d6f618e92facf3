//go:build unix

package redact

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// values are secrets with the characters that tools escape. Each begins and ends with
// words that must not be left in the output.
var values = map[string]string{
	"single quote":      "first1it's-a-last99",
	"two single quotes": "first1'' 'last99",
	"dollars":           "first1pa$$w0rd-$HOME-last99",
	"everything":        "first1\"q\\b`t!#%&*()[]{}|;<>?~^=,:@/+ '_last99",
	"not ASCII":         "first1é€😀last99",
	"control":           "first1\ta\x1b[1mb\x01\x7flast99",
	"lines":             "first1 it's\nwith \"two\\last99",
	"URL":               "first1/a+b?c=d&e#last99",
	"slashes at an end": "/first1-last99//",
	"quote at the end":  "first1-last99'",
	"backslashes":       `first1\\n\tlast99`,
}

// tools print the variable S.
var tools = []struct {
	program, option string
	scripts         []string
}{
	{"bash", "-c", []string{
		`set -x; : "$S"`, `export -p`, `declare -p S`, `set`, `set -o posix; set`, `printf %q "$S"`, `echo "${S@Q}"`, `echo "${S@A}"`,
		`export LC_ALL=C; set -x; : "$S"`, `export LC_ALL=C; printf %q "$S"`, `alias x="$S"; alias`,
	}},
	{"dash", "-c", []string{`set -x; : "$S"`, `export -p`, `set`}},
	{"zsh", "-c", []string{`set -x; : "$S"`, `export -p`, `set`, `echo ${(q)S}`, `echo ${(qq)S}`, `echo ${(qqqq)S}`}},
	{"fish", "-c", []string{`set -S S`, `string escape $S`}},
	{"python3", "-c", []string{`
import base64, html, json, os, shlex, urllib.parse as u, xml.sax.saxutils as x
s = os.environ["S"]
print(json.dumps(s), json.dumps(s, ensure_ascii=False), repr(s), ascii(s), shlex.quote(s), dict(os.environ), html.escape(s), html.escape(s, False))
print(u.quote(s), u.quote(s, ""), u.quote_plus(s), u.urlencode({"a": s}), x.escape(s), x.quoteattr(s))
print(base64.b64encode(s.encode()), base64.urlsafe_b64encode(b"user:" + s.encode() + b"\n"))
`}},
	{"jq", "-rn", []string{`env.S | tojson, @sh, @uri, @html, @base64, ([.] | @csv, @tsv)`}},
	{"node", "-e", []string{`
const s = process.env.S
console.log(JSON.stringify(s), require("util").inspect({ s }), encodeURIComponent(s), encodeURI(s))
console.log(new URLSearchParams({ s }).toString(), new URL("http://h/?q=" + encodeURIComponent(s)).href)
`}},
	{"perl", "-e", []string{`use Data::Dumper; print Dumper($ENV{S})`}},
}

// TestTools has real tools print secrets, and checks that nothing of them is left.
func TestTools(t *testing.T) {
	t.Parallel()
	for _, tool := range tools {
		program, err := exec.LookPath(tool.program)
		if err != nil {
			t.Logf("no %s on this system", tool.program)
			continue
		}
		for _, script := range tool.scripts {
			for name, value := range values {
				t.Run(tool.program+"/"+strings.TrimSpace(strings.SplitN(strings.TrimSpace(script), "\n", 2)[0])+"/"+name, func(t *testing.T) {
					t.Parallel()
					cmd := exec.CommandContext(t.Context(), program, tool.option, script)
					cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8", "S=" + value}
					output, err := cmd.CombinedOutput()
					if err != nil {
						t.Skipf("%v: %s", err, output)
					}
					checkHidden(t, value, string(output))
				})
			}
		}
	}
}

// TestGoPrints does so for the ways in which Go programs print a value.
func TestGoPrints(t *testing.T) {
	t.Parallel()
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asJSON, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			var asXML bytes.Buffer
			if err := xml.EscapeText(&asXML, []byte(value)); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune(asXML.String(), utf8.RuneError) { // a character that XML does not have
				asXML.Reset()
			}
			for _, printed := range []string{
				value, string(asJSON), fmt.Sprintf("%q %+q", value, value), strconv.QuoteToASCII(value), html.EscapeString(value), asXML.String(),
				url.QueryEscape(value), url.PathEscape(value), (&url.URL{Path: value}).String(), url.UserPassword("a", value).String(),
			} {
				checkHidden(t, value, printed)
			}
		})
	}
}

func checkHidden(t *testing.T, secret, printed string) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&Secrets{}, &out)
	if err := w.secrets.Add(secret); err != nil {
		t.Fatal(err)
	}
	writeInHalves(t, w, printed)
	for _, left := range []string{"first1", "last99"} {
		if strings.Contains(out.String(), left) {
			t.Errorf("%q is left in %q", left, out.String())
		}
	}
}

func writeInHalves(t *testing.T, w *Writer, text string) {
	t.Helper()
	for _, part := range []string{text[:len(text)/2], text[len(text)/2:]} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
