package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileSize bounds a file that was named by mistake.
const maxFileSize = 1 << 20

// File is the settings of a YAML file, by key: agent.spawn is "spawn:" below
// "agent:". The zero value has none.
type File struct {
	path    string
	entries map[string]entry
}

// entry is the value of one setting, or its values.
type entry struct {
	line   int
	values []string
}

// ReadFile reads the YAML file at path. lists has every known key, with whether
// its setting takes a list. Any other key is an error that names the key and its
// line, because a setting with a misspelled key would have no effect.
func ReadFile(path string, lists map[string]bool) (*File, error) {
	content, err := readLimited(path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	entries, problems := parse(content, lists)
	if len(problems) > 0 {
		return nil, fmt.Errorf("configuration file %s: %w", path, problems[0])
	}
	return &File{path: path, entries: entries}, nil
}

// CheckFile is ReadFile for a check: it returns every error of the file, each of which
// names it, and the settings that can be read all the same.
func CheckFile(path string, lists map[string]bool) (*File, []error) {
	content, err := readLimited(path, maxFileSize)
	if err != nil {
		return &File{}, []error{fmt.Errorf("configuration file %s: %w", path, err)}
	}
	entries, problems := parse(content, lists)
	for i, problem := range problems {
		problems[i] = fmt.Errorf("configuration file %s: %w", path, problem)
	}
	return &File{path: path, entries: entries}, problems
}

// Lookup returns the values of a setting as they are written in the file, and the
// place for messages. The values are nil where the file does not have the key.
func (f *File) Lookup(key string) (values []string, place string) {
	e := f.entries[key]
	return e.values, fmt.Sprintf("%s, line %d, %s", f.path, e.line, key)
}

// ByteOrderMark begins a text in UTF-8 that some editors write, and is not part of it.
const ByteOrderMark = "\ufeff"

// readLimited reads a text file of at most limit bytes, without a byte order mark. Its
// errors do not name the file.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, reason(err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return bytes.TrimPrefix(content, []byte(ByteOrderMark)), nil
}

// parse reads the settings of one YAML document, without those that have errors. Every
// error is one line that names the key and its line, where there is one.
func parse(content []byte, lists map[string]bool) (map[string]entry, []error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // nothing but comments
		return map[string]entry{}, nil
	case err != nil:
		return nil, []error{errors.New(strings.Join(strings.Fields(err.Error()), " "))}
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, []error{errors.New("holds more than one YAML document, or ends in something that is not YAML")}
	}
	r := reader{lists: lists, entries: map[string]entry{}}
	r.section(resolve(document.Content[0]), "")
	return r.entries, r.problems
}

// reader flattens nested mappings to keys.
type reader struct {
	lists    map[string]bool
	entries  map[string]entry
	problems []error
}

func (r *reader) problemf(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// section reads a mapping whose keys all begin with prefix, which is empty or
// ends in a dot.
func (r *reader) section(node *yaml.Node, prefix string) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		subject := ""
		if prefix != "" {
			subject = strings.TrimSuffix(prefix, ".") + " "
		}
		r.problemf("line %d: %smust hold keys with values", node.Line, subject)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], resolve(node.Content[i+1])
		key := prefix + name.Value
		if seen[key] {
			r.problemf("line %d: duplicate key %q", name.Line, key)
			continue
		}
		seen[key] = true
		r.key(key, name.Line, value)
	}
}

func (r *reader) key(key string, line int, value *yaml.Node) {
	list, known := r.lists[key]
	if !known {
		if !r.isSection(key) {
			r.problemf("line %d: unknown key %q%s", line, key, suggestKey(key, r.lists))
			return
		}
		r.section(value, key+".")
		return
	}
	if isNull(value) { // a key without a value
		return
	}
	values, err := scalars(value, list)
	if err != nil {
		r.problemf("line %d: %s %w", line, key, err)
		return
	}
	r.entries[key] = entry{line: line, values: values}
}

// isSection reports whether a known key is inside the section name.
func (r *reader) isSection(name string) bool {
	for key := range r.lists {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// scalars returns the text of a value, or of each element of a list. A mapping in
// place of a list is a list of NAME=VALUE, in the file's order.
func scalars(value *yaml.Node, list bool) ([]string, error) {
	if value.Kind == yaml.ScalarNode {
		return []string{value.Value}, nil
	}
	if !list {
		return nil, errors.New("takes one value")
	}
	var values []string
	for i, node := range value.Content {
		element := resolve(node)
		inMapping := value.Kind == yaml.MappingNode
		if element.Kind != yaml.ScalarNode || isNull(element) && !inMapping || strings.Contains(element.Value, "\x00") {
			return nil, errors.New("takes a list of plain values")
		}
		if inMapping && i%2 == 1 {
			values[len(values)-1] += "=" + element.Value
			continue
		}
		values = append(values, element.Value)
	}
	return values, nil
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// resolve returns the node that an alias stands for.
func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// reason strips the operation and the path, which the caller's message has.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
