package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/switchyard-ci/switchyard"

// TestEveryOptionIsRead type-checks the program and finds each variable that a
// flag is bound to, and each exported field of a struct that is named Config,
// Options or Settings. The program must read each of them somewhere. An assignment is not a
// read, and neither is a use in a function that checks or completes a configuration.
func TestEveryOptionIsRead(t *testing.T) {
	t.Parallel()
	p := &program{
		fset: token.NewFileSet(), packages: map[string]*types.Package{},
		options: map[types.Object]bool{}, read: map[types.Object]bool{},
	}
	if _, err := p.Import(modulePath + "/cmd/switchyard"); err != nil {
		t.Fatal(err)
	}
	if len(p.options) < 100 {
		t.Errorf("only %d options were found", len(p.options))
	}
	for option := range p.options {
		if !p.read[option] {
			t.Errorf("%s: the program does not read %s", p.fset.Position(option.Pos()), option.Name())
		}
	}
}

// program is a type checker for the packages of this module. Those of others are
// empty for it: it finds the uses of options without them.
type program struct {
	fset     *token.FileSet
	packages map[string]*types.Package
	options  map[types.Object]bool // bound to a flag, or a field of a configuration
	read     map[types.Object]bool
}

// Import implements types.Importer.
func (p *program) Import(path string) (*types.Package, error) {
	if pkg := p.packages[path]; pkg != nil {
		return pkg, nil
	}
	dir, ours := strings.CutPrefix(path, modulePath)
	if !ours {
		p.packages[path] = types.NewPackage(path, filepath.Base(path))
		p.packages[path].MarkComplete()
		return p.packages[path], nil
	}
	source, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range source.GoFiles {
		file, err := parser.ParseFile(p.fset, filepath.Join(source.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: p, Error: func(error) {}} // unknown names of other modules are errors
	p.packages[path], _ = config.Check(path, p.fset, files, info)
	for _, file := range files {
		p.visit(file, info, path == modulePath+"/cmd/switchyard" || path == modulePath+"/internal/command")
	}
	return p.packages[path], nil
}

// visit records the options and the reads of a file. In a command, a variable
// whose address is an argument of a call is bound to a flag.
func (p *program) visit(file *ast.File, info *types.Info, command bool) {
	written := map[*ast.Ident]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.TypeSpec:
			p.fieldsOf(n, info)
		case *ast.FuncDecl:
			name := strings.ToLower(n.Name.Name)
			onlyChecks := strings.HasPrefix(name, "validate") && n.Type.Results.NumFields() == 1 // an error
			return !onlyChecks && name != "withdefaults"
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				written[last(left)] = true
			}
		case *ast.KeyValueExpr:
			written[last(n.Key)] = true
		case *ast.CallExpr:
			for _, argument := range n.Args {
				address, ok := argument.(*ast.UnaryExpr)
				if !ok || address.Op != token.AND || !command {
					continue
				}
				if bound := last(address.X); bound != nil && info.Uses[bound] != nil {
					p.options[info.Uses[bound]] = true
					written[bound] = true
				}
			}
		case *ast.Ident:
			if used := info.Uses[n]; used != nil && !written[n] {
				p.read[used] = true
			}
		}
		return true
	})
}

// fieldsOf records the exported fields of a configuration.
func (p *program) fieldsOf(spec *ast.TypeSpec, info *types.Info) {
	fields, ok := spec.Type.(*ast.StructType)
	isConfiguration := func(suffix string) bool { return strings.HasSuffix(spec.Name.Name, suffix) }
	if !ok || !slices.ContainsFunc([]string{"Config", "Options", "Settings"}, isConfiguration) {
		return
	}
	for _, field := range fields.Fields.List {
		for _, name := range field.Names {
			if name.IsExported() {
				p.options[info.Defs[name]] = true
			}
		}
	}
}

// last returns the identifier of a variable or of a selected field; nil for other
// expressions.
func last(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	default:
		return nil
	}
}
