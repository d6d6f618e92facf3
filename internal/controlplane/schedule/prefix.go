package schedule

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

const (
	// MinPrefix is the least number of characters with which an ID can be abbreviated.
	MinPrefix = 4
	// maxNamed is how many IDs an error names that begin with the same characters.
	maxNamed = 5
	// idForm is the form of an ID: x is a hexadecimal digit.
	idForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
)

// isPrefix reports whether ref is the beginning of an ID, and not all of it. prefix is ref
// in lower case.
func isPrefix(ref string) (prefix string, ok bool) {
	prefix = strings.ToLower(ref)
	if len(prefix) < MinPrefix || len(prefix) >= len(idForm) {
		return "", false
	}
	for i := range len(prefix) {
		switch digit := strings.IndexByte("0123456789abcdef", prefix[i]) >= 0; {
		case idForm[i] == '-' && prefix[i] != '-', idForm[i] == 'x' && !digit:
			return "", false
		}
	}
	return prefix, true
}

// JobsWithPrefix returns the lists of the jobs whose ID begins with ref, the oldest first:
// one for each queue, or one of all queues if there are none. It returns none if ref is not
// the beginning of an ID.
func JobsWithPrefix(ref string, queues []string) (lists []*JobList) {
	prefix, ok := isPrefix(ref)
	if !ok {
		return nil
	}
	low, high := uuid.MustParse(prefix+strings.ReplaceAll(idForm, "x", "0")[len(prefix):]),
		uuid.MustParse(prefix+strings.ReplaceAll(idForm, "x", "f")[len(prefix):])
	if len(queues) == 0 {
		queues = []string{""} // all
	}
	for _, queue := range queues {
		lists = append(lists, &JobList{
			filter: JobFilter{Queue: queue}, low: low, high: successor(high), oldestFirst: true, size: maxNamed + 1,
		})
	}
	return lists
}

// OneOf returns the only one of the IDs that begin with prefix. It fails with
// record.ErrNotFound if there is none, and with a *record.InvalidError that names some of
// several.
func OneOf(prefix, what string, ids []string) (string, error) {
	slices.Sort(ids)
	switch n := len(ids); {
	case n == 0:
		return "", record.ErrNotFound
	case n == 1:
		return ids[0], nil
	case n > maxNamed:
		ids = append(slices.Clone(ids[:maxNamed]), "and more")
	}
	return "", record.Invalid("id", "is %q, with which the IDs of several %s begin: %s", prefix, what, strings.Join(ids, ", "))
}

// workersWithPrefix returns the IDs of the workers whose ID begins with ref.
func (x *Index) workersWithPrefix(ref string) (ids []string) {
	prefix, ok := isPrefix(ref)
	if !ok {
		return nil
	}
	for id := range x.workers {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	return ids
}
