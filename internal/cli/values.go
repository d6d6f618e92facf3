package cli

import "github.com/spf13/pflag"

// flagValue is the value of every flag that this package declares.
type flagValue interface {
	pflag.Value
	settings() *setting
	isList() bool
	// replace sets the value of the texts, or the default without any. On error, which
	// is about the text returned, the value stays.
	replace(texts []string) (text string, err error)
}

// value is the value of a flag that has one.
type value[T any] struct {
	setting

	target       *T
	defaultValue T
	parse        func(string) (T, error)
}

func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.target = parsed
	}
	return err
}

// String returns nothing: the usage text shows the default.
func (v *value[T]) String() string { return "" }

func (v *value[T]) isList() bool { return false }

func (v *value[T]) replace(texts []string) (string, error) {
	replaced := v.defaultValue
	for _, text := range texts {
		parsed, err := v.parse(text)
		if err != nil {
			return text, err
		}
		replaced = parsed
	}
	*v.target = replaced
	return "", nil
}

// list is the value of a flag that may be repeated.
type list[T any] struct {
	setting

	target       *[]T
	defaultValue []T
	parse        func(string) ([]T, error)
	given        bool // the default is replaced
}

func (l *list[T]) Set(text string) error {
	items, err := l.parse(text)
	if err != nil {
		return err
	}
	if !l.given {
		l.given = true
		*l.target = []T{}
	}
	*l.target = append(*l.target, items...)
	return nil
}

func (l *list[T]) String() string { return "" }

func (l *list[T]) isList() bool { return true }

func (l *list[T]) replace(texts []string) (string, error) {
	if texts == nil {
		*l.target, l.given = l.defaultValue, false
		return "", nil
	}
	replaced := []T{}
	for _, text := range texts {
		items, err := l.parse(text)
		if err != nil {
			return text, err
		}
		replaced = append(replaced, items...)
	}
	*l.target, l.given = replaced, true
	return "", nil
}
