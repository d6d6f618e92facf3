package e2e_test

import (
	"flag"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// parallel is how many tests run at once, on every machine: most of their time they
// wait for processes.
const parallel = "6"

// bin is the directory of the program under test.
//
//nolint:gochecknoglobals // written once, before the first test
var bin string

func TestMain(m *testing.M) {
	// toxiproxy leaks the goroutines that had data for a closed connection.
	goleak.VerifyTestMain(building{m},
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
	)
}

// building builds the programs before the tests run, and removes them afterwards.
type building struct{ m *testing.M }

func (b building) Run() int {
	flag.Parse()
	if testing.Short() {
		return b.m.Run()
	}
	if err := flag.Set("test.parallel", parallel); err != nil {
		log.Print(err)
		return 1
	}
	dir, err := os.MkdirTemp("", "switchyard-e2e-")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	arguments := []string{"build", "-o", dir + string(filepath.Separator)}
	if raceEnabled {
		arguments = append(arguments, "-race")
	}
	build := exec.Command("go", append(arguments, "github.com/switchyard-ci/switchyard/cmd/...")...) //nolint:noctx,gosec // go test bounds it
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		log.Printf("building the programs: %v", err)
		return 1
	}
	bin = dir
	return b.m.Run()
}

// skipIfShort skips the test under go test -short.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("end to end, with real processes")
	}
}
