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

// maxFileSize keeps a wrong file, named by mistake, from being read whole.
const maxFileSize = 1 << 20

// A file is the settings that a YAML file holds, by key.
type file struct {
	path    string
	entries map[string]entry
}

// An entry is the value of one setting, or its values.
type entry struct {
	line   int
	values []string
}

// readFile reads the YAML file at path. lists has every known key and says
// whether it takes a list; any other key is an error that names it.
func readFile(path string, lists map[string]bool) (*file, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, reason(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, reason(err))
	}
	if len(content) > maxFileSize {
		return nil, fmt.Errorf("configuration file %s: larger than %d bytes", path, maxFileSize)
	}
	entries, err := parse(content, lists)
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	return &file{path: path, entries: entries}, nil
}

// parse reads the settings out of one YAML document. Every error is one line
// that names the key and its line where there is one.
func parse(content []byte, lists map[string]bool) (map[string]entry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // nothing but comments
		return map[string]entry{}, nil
	case err != nil:
		return nil, oneLine(err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one YAML document, or ends in something that is not YAML")
	}
	r := reader{lists: lists, entries: map[string]entry{}}
	if err := r.section(resolve(document.Content[0]), ""); err != nil {
		return nil, err
	}
	return r.entries, nil
}

// A reader flattens nested mappings to keys.
type reader struct {
	lists   map[string]bool
	entries map[string]entry
}

// section reads a mapping whose keys all begin with prefix, which is empty or
// ends in a dot.
func (r *reader) section(node *yaml.Node, prefix string) error {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		if prefix == "" {
			return fmt.Errorf("line %d: must hold keys with values", node.Line)
		}
		return fmt.Errorf("line %d: %s must hold keys with values", node.Line, strings.TrimSuffix(prefix, "."))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], resolve(node.Content[i+1])
		key := prefix + name.Value
		if seen[key] {
			return fmt.Errorf("line %d: key %q is there twice", name.Line, key)
		}
		seen[key] = true
		if err := r.key(key, name.Line, value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) key(key string, line int, value *yaml.Node) error {
	list, known := r.lists[key]
	if !known {
		if !r.isSection(key) {
			return fmt.Errorf("line %d: unknown key %q%s", line, key, r.suggestion(key))
		}
		return r.section(value, key+".")
	}
	if isNull(value) { // a key with nothing behind it
		return nil
	}
	values, err := scalars(value, list)
	if err != nil {
		return fmt.Errorf("line %d: %s %w", line, key, err)
	}
	r.entries[key] = entry{line: line, values: values}
	return nil
}

// isSection says whether some key is inside the section name.
func (r *reader) isSection(name string) bool {
	for key := range r.lists {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// scalars is the text of a value, or of each element of a list. A mapping where
// a list is wanted is a list of NAME=VALUE, in the file's order.
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
		if element.Kind != yaml.ScalarNode || isNull(element) && !inMapping || strings.Contains(element.Value, ListSeparator) {
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

// resolve follows an alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// oneLine is a YAML error without its line breaks.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

// reason strips the operation and path that the caller's message names already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
