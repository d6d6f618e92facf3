package schedule

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// tagKey is what a job can require: a tag, or with any set, a tag with any value of its key.
type tagKey struct {
	key, value string
	any        bool
}

// tagEntry is what a job can require, in one queue, and the workers that have it.
type tagEntry struct {
	key     tagKey
	workers map[*workerEntry]struct{}
	// groups is how many groups require it, and filed is where those are that have ready
	// jobs; nil as long as none is there.
	groups int
	filed  *place
	// set are its workers too, once a group has asked for it: see members.
	set members
	// idle are the idle ones of its workers, best first. It is nil as long as no group requires
	// the tag, so that it costs nothing when a worker becomes idle, or no worker has had it, so
	// that jobs can name many tags that no worker has.
	idle *btree.BTreeG[*workerEntry]
}

// requiredKey returns the key of a tag that a job requires.
func requiredKey(tag string) tagKey {
	key, value, _ := strings.Cut(tag, "=")
	if value == wire.AnyValue {
		return tagKey{key: key, any: true}
	}
	return tagKey{key: key, value: value}
}

// tag returns the entry of a tag, a new one if there is none.
func (q *queueEntry) tag(key tagKey) *tagEntry {
	t := q.tags[key]
	if t == nil {
		t = &tagEntry{key: key}
		q.tags[key] = t
	}
	return t
}

// fewTags is up to how many tags of a worker, in both forms, are looked through: for more, and
// only then, it takes less time to look the worker up.
const fewTags = 64

// has reports whether a worker has a tag of its queue.
func (w *workerEntry) has(t *tagEntry) bool {
	if t.set != nil {
		return t.set.word(w.number/wordBits)&w.bit() != 0
	}
	if len(w.tags) <= fewTags {
		return slices.Contains(w.tags, t)
	}
	_, has := t.workers[w]
	return has
}

// dropIfUnused drops the entry of a tag that no worker has and no group requires.
func (q *queueEntry) dropIfUnused(t *tagEntry) {
	if len(t.workers) == 0 && t.groups == 0 {
		delete(q.tags, t.key)
	}
}

// addTags files a new worker under its tags. The one that names its queue is left out, and
// so are more than can be registered, which the record of an earlier version may have.
func (q *queueEntry) addTags(w *workerEntry, tags []string) {
	w.tags = make([]*tagEntry, 0, 2*min(len(tags), wire.MaxWorkerTags))
	add := func(key tagKey) {
		t := q.tag(key)
		if _, known := t.workers[w]; known {
			return
		}
		if t.workers == nil {
			t.workers = map[*workerEntry]struct{}{}
		}
		t.workers[w] = struct{}{}
		if t.set != nil {
			t.set = t.set.with(w)
		}
		w.tags = append(w.tags, t)
		t.sortIdle()
	}
	for _, tag := range tags[:min(len(tags), wire.MaxWorkerTags)] {
		if strings.HasPrefix(tag, wire.QueueTag) {
			continue
		}
		key, value, ok := strings.Cut(tag, "=")
		if ok {
			add(tagKey{key: key, value: value})
		}
		add(tagKey{key: key, any: true})
	}
}

// removeTags undoes addTags.
func (q *queueEntry) removeTags(w *workerEntry) {
	for _, t := range w.tags {
		delete(t.workers, w)
		t.set.remove(w)
		q.dropIfUnused(t)
	}
	w.tags = nil
}

// require counts a group that requires the tag.
func (t *tagEntry) require() {
	t.groups++
	t.sortIdle()
}

// sortIdle sorts the idle workers if someone asks for them and they are not sorted yet.
func (t *tagEntry) sortIdle() {
	if t.idle != nil || t.groups == 0 || len(t.workers) == 0 {
		return
	}
	t.idle = newIdle()
	for w := range t.workers {
		if w.idleRank != 0 {
			t.idle.Set(w)
		}
	}
}

// release undoes require.
func (t *tagEntry) release() {
	t.groups--
	if t.groups == 0 {
		t.idle, t.set = nil, nil
	}
}

// joinIdle puts a worker among the idle ones of its queue and of its tags. Its idleRank is
// set.
func (w *workerEntry) joinIdle() {
	w.queue.idle.Set(w)
	w.queue.idleMembers = w.queue.idleMembers.with(w)
	for _, t := range w.tags {
		if t.idle != nil {
			t.idle.Set(w)
		}
	}
}

// leaveIdle undoes joinIdle, before anything changes by which idle workers are sorted.
func (w *workerEntry) leaveIdle() {
	w.queue.idle.Delete(w)
	w.queue.idleMembers.remove(w)
	delete(w.queue.awake, w)
	for _, t := range w.tags {
		if t.idle != nil {
			t.idle.Delete(w)
		}
	}
	w.idleRank = 0
}
