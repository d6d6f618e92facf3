package dispatch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// writers returns where a file changes what became of a job or worker: it assigns
// a field of lifecycle.Job or workerstate.Worker, or one of these as a whole, or
// makes one with another field than free.
func writers(file *ast.File, free map[string]bool) []ast.Node {
	fields := map[string]bool{"Job": true, "Worker": true, "Log": true}
	for _, t := range []reflect.Type{reflect.TypeFor[lifecycle.Job](), reflect.TypeFor[workerstate.Worker](), reflect.TypeFor[logstate.Log]()} {
		for _, f := range reflect.VisibleFields(t) {
			fields[f.Name] = true
		}
	}
	var found []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, target := range n.Lhs {
				if field, ok := target.(*ast.SelectorExpr); ok && fields[field.Sel.Name] {
					found = append(found, n)
				}
			}
		case *ast.IncDecStmt:
			if field, ok := n.X.(*ast.SelectorExpr); ok && fields[field.Sel.Name] {
				found = append(found, n)
			}
		case *ast.CompositeLit:
			kind, ok := n.Type.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"lifecycle.Job", "workerstate.Worker", "logstate.Log"}, nameOf(kind)) {
				return true
			}
			for _, element := range n.Elts {
				pair, keyed := element.(*ast.KeyValueExpr)
				if !keyed || !free[nameOf(pair.Key)] {
					found = append(found, n)
				}
			}
		}
		return true
	})
	return found
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return nameOf(e.X) + "." + e.Sel.Name
	}
	return ""
}

// TestOnlyTheTablesChangeRecords checks that of the packages that know stored
// records only jobAfter and workerAfter change what became of a job or worker: both
// ask the table. A new record may bring what its submitter or worker decides.
// Packages api and agentwire build messages, and cannot store a record.
func TestOnlyTheTablesChangeRecords(t *testing.T) {
	free := map[string]bool{"RetriesLeft": true, "LastJob": true}
	allowed := map[string]int{
		"restore.go":              2, // asks the tables, too, before the store is in use
		"dispatch/transitions.go": 2, // jobAfter, workerAfter
		"dispatch/joblog.go":      1, // logAfter
		"dispatch/workers.go":     1, // Register drops what the caller should not have set
		"dispatch/jobs.go":        2, // Job adds the size of the log to what it returns
		"dispatch/sweep.go":       2, // fields of an event have the same names
		"record/job.go":           1, // WithoutHistory returns a copy for readers
	}
	got := map[string]int{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			slices.Contains([]string{"lifecycle", "workerstate", "logstate", "api", "agentwire"}, strings.Split(name, "/")[0]) {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, n := range writers(file, free) {
			got[name]++
			if got[name] > allowed[name] {
				t.Errorf("%s changes a record without its table", files.Position(n.Pos()))
			}
		}
		return nil
	})
	must(t, err)
	for name, n := range allowed {
		if got[name] != n {
			t.Errorf("%s has %d changes of records, want %d: correct this test", name, got[name], n)
		}
	}
}

// The check above finds what it must find.
func TestWritersAreFound(t *testing.T) {
	for source, want := range map[string]int{
		`job.State = wire.StateQueued`:                       1,
		`job.Job.State, other = x, y`:                        1,
		`job.RetriesLeft--`:                                  1,
		`job.Job = next`:                                     1,
		`worker.PauseReason = "x"`:                           1,
		`_ = lifecycle.Job{State: x}`:                        1,
		`_ = record.Job{Job: lifecycle.Job{Tokens: x}}`:      1,
		`_ = workerstate.Worker{"x"}`:                        1,
		`_ = record.Job{Job: lifecycle.Job{RetriesLeft: 1}}`: 0,
		`job.Env = nil`:                                      0,
		`state := job.State`:                                 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() {\n"+source+"\n}", parser.SkipObjectResolution)
		must(t, err)
		if got := len(writers(file, map[string]bool{"RetriesLeft": true})); got != want {
			t.Errorf("%s: found %d, want %d", source, got, want)
		}
	}
}
