package telemetry_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// zapPath is the import path of the logger.
const zapPath = "go.uber.org/zap"

// fieldKinds are the functions that make a field, by the kind of its value.
//
//nolint:gochecknoglobals // a table, never written
var fieldKinds = map[string]string{
	"String": "text", "Stringer": "text", "NamedError": "text", "ByteString": "text", "Time": "text", "Duration": "duration",
	"Int": "number", "Int32": "number", "Int64": "number", "Uint": "number", "Uint32": "number", "Uint64": "number", "Float64": "number",
	"Bool": "bool", "Strings": "list", "Stringers": "list", "Ints": "list", "Uint64s": "list", "Errors": "list",
	"Any": "any", "Reflect": "any", "Object": "object", "Array": "list", "Dict": "object", "Binary": "text",
}

// levels are the methods of a logger whose first or, for the last two, second argument is a
// message.
//
//nolint:gochecknoglobals // a table, never written
var levels = map[string]int{"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "DPanic": 0, "Panic": 0, "Fatal": 0, "Log": 1, "Check": 1}

// logged are the names of fields in a file, each with its kind, and what is wrong there.
type logged struct {
	fields   map[string]string // kind by name
	messages int
	problems []string
}

// logsOf returns what a file logs. It knows a logger by its name, and a call by its fields.
func logsOf(files *token.FileSet, file *ast.File) logged {
	found := logged{fields: map[string]string{}}
	report := func(n ast.Node, format string, arguments ...any) {
		found.problems = append(found.problems, fmt.Sprintf("%s: ", files.Position(n.Pos()))+fmt.Sprintf(format, arguments...))
	}
	if !slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(zapPath) }) {
		return found
	}
	texts := valuesOf(file)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if kind := fieldKinds[zapFunction(call)]; kind != "" {
			switch name, constant := constantText(call.Args[0]); {
			case !constant:
				report(call, "the name of a field is not a constant")
			case found.fields[name] != "" && found.fields[name] != kind:
				report(call, "the field %s is a %s here, and a %s elsewhere in this file", name, kind, found.fields[name])
			default:
				found.fields[name] = kind
			}
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		at, known := levels[method.Sel.Name]
		if !known || len(call.Args) <= at || !isLogger(method.X) && !slices.ContainsFunc(call.Args, isField) {
			return true
		}
		found.messages++
		if !texts.areConstant(call.Args[at], 3) {
			report(call, "the message is not a constant: put what changes into fields")
		}
		return true
	})
	return found
}

// zapFunction returns the name of the function of zap that is called, or nothing.
func zapFunction(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	if pkg, ok := selector.X.(*ast.Ident); !ok || pkg.Name != "zap" {
		return ""
	}
	return selector.Sel.Name
}

func isField(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && (fieldKinds[zapFunction(call)] != "" || zapFunction(call) == "Error")
}

// isLogger reports whether an expression has the name of a logger: log, logger, or one that
// is derived from such a one.
func isLogger(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log" || strings.HasSuffix(strings.ToLower(e.Name), "logger")
	case *ast.SelectorExpr:
		return isLogger(e.Sel)
	case *ast.CallExpr:
		method, ok := e.Fun.(*ast.SelectorExpr)
		return ok && isLogger(method.X)
	}
	return false
}

// constantText returns the value of a text in quotes, or of several that are added.
func constantText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := constantText(e.X)
		right, also := constantText(e.Y)
		return left + right, ok && also
	}
	return "", false
}

// values are what the variables of a file are set to, by their names.
type values map[string][]ast.Expr

func valuesOf(file *ast.File) values {
	all := values{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok && len(n.Lhs) == len(n.Rhs) {
					all[name.Name] = append(all[name.Name], n.Rhs[i])
				} else if ok {
					all[name.Name] = append(all[name.Name], n.Rhs[0])
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				all[n.Names[i].Name] = append(all[n.Names[i].Name], value)
			}
		}
		return true
	})
	return all
}

// areConstant reports whether an expression is a constant text, a variable that is only set
// to such ones, or an element of a table of them. depth is how many variables may be behind
// each other.
func (v values) areConstant(e ast.Expr, depth int) bool {
	if _, constant := constantText(e); constant || depth == 0 {
		return constant
	}
	switch e := e.(type) {
	case *ast.Ident:
		set := v[e.Name]
		return len(set) > 0 && !slices.ContainsFunc(set, func(value ast.Expr) bool { return !v.areConstant(value, depth-1) })
	case *ast.IndexExpr:
		table, ok := e.X.(*ast.Ident)
		return ok && v.areConstant(table, depth)
	case *ast.CompositeLit:
		return !slices.ContainsFunc(e.Elts, func(element ast.Expr) bool {
			pair, ok := element.(*ast.KeyValueExpr)
			return !ok || !v.areConstant(pair.Value, depth-1)
		})
	}
	return false
}

// TestLogFields checks that a log message is a constant, and that the same thing has the
// same name, and a value of the same kind, wherever it is logged.
func TestLogFields(t *testing.T) {
	t.Parallel()
	used, messages := map[string]bool{}, 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		found := logsOf(files, file)
		messages += found.messages
		for _, problem := range found.problems {
			t.Error(problem)
		}
		for field, kind := range found.fields {
			switch want := logFields[field]; {
			case want.kind == "":
				t.Errorf("%s: the field %q is not in the table: use the name of the table for the thing, or add a row", name, field)
			case want.kind != kind:
				t.Errorf("%s: the field %q is a %s, and a %s in the table", name, field, kind, want.kind)
			}
			used[field] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for field := range logFields {
		if !used[field] {
			t.Errorf("the field %q of the table is not used: remove its row", field)
		}
	}
	if messages < 150 {
		t.Errorf("only %d messages were found", messages)
	}
}

// TestLogsAreFound checks that the test above finds what it must find.
func TestLogsAreFound(t *testing.T) {
	t.Parallel()
	rows := []struct {
		source   string
		fields   int
		messages int
		problems int
	}{
		{`logger.Info("x")`, 0, 1, 0},
		{`s.opts.Logger.Named("y").Warn("x" + "y", zap.Error(err))`, 0, 1, 0},
		{`d.log.Info(text, zap.String("a", b))`, 1, 1, 1},
		{`text := "x"; if a { text = "y" }; logger.Info(text)`, 0, 1, 0},
		{`text := "x"; if a { text = err.Error() }; logger.Info(text)`, 0, 1, 1},
		{`texts := map[int]string{1: "x", 2: "y"}; logger.Info(texts[i])`, 0, 1, 0},
		{`logger.Info(fmt.Sprintf("x %d", 1))`, 0, 1, 1},
		{`sink.Error(text, zap.Int("a", 1))`, 1, 1, 1},
		{`t.log.Log(level, "x", zap.Int("a", 1))`, 1, 1, 0},
		{`fields := []zap.Field{zap.Int("a", 1), zap.String("a", b)}`, 1, 0, 1},
		{`x := zap.String(name, b)`, 0, 0, 1},
		{`http.Error(w, text, 500)`, 0, 0, 0},
		{`logger := zap.New(core)`, 0, 0, 0},
	}
	for _, row := range rows {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "x.go", "package x\nimport \"go.uber.org/zap\"\nfunc f() {\n"+row.source+"\n}", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := logsOf(files, file); len(got.fields) != row.fields || got.messages != row.messages || len(got.problems) != row.problems {
			t.Errorf("%s: found %d fields, %d messages, problems %q", row.source, len(got.fields), got.messages, got.problems)
		}
	}
}
