package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

// callAgentAPI makes one call of the agents' API, as any client may, and checks its
// status. The answer becomes the script's standard output.
func callAgentAPI(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
	token := args[1]
	if token == "registration" {
		content, err := os.ReadFile(filepath.Join(ts.Getenv("SWITCHYARD_DATA_DIR"), "registration-token"))
		ts.Check(err)
		token = strings.TrimSpace(string(content))
	}
	ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
	defer cancel()
	url := ts.Getenv("SWITCHYARD_ENDPOINT") + wire.Prefix + "/" + args[3]
	request, err := http.NewRequestWithContext(ctx, args[2], url, strings.NewReader(strings.Join(args[4:], "")))
	ts.Check(err)
	request.Header.Set("Authorization", "Token "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	ts.Check(err)
	middleOf(ts).answer = body
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
	if got := strconv.Itoa(response.StatusCode); got != args[0] {
		ts.Fatalf("%s %s: status %s, want %s: %s", args[2], args[3], got, args[0], body)
	}
}

// answerField stores a field of the last answer in a variable.
func answerField(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
	var fields map[string]any
	ts.Check(json.Unmarshal(middleOf(ts).answer, &fields))
	if fields[args[0]] == nil {
		ts.Fatalf("the last answer has no field %s: %s", args[0], middleOf(ts).answer)
	}
	ts.Setenv(args[1], fmt.Sprint(fields[args[0]]))
}
