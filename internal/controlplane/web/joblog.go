package web

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/web/logview"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// shownLines is how many lines of a log a page begins with, and maxLines how many one
	// request may ask for.
	shownLines, maxLines = 400, 2000
	// overlap is how many lines a part of a log begins before the line that was asked for.
	overlap = 100
	// maxIndexes bounds the logs whose places of lines are known.
	maxIndexes = 64
	// maxScans bounds the logs that are read at the same time to find the places of lines.
	maxScans = 2
)

// indexes are the places of lines of the logs that were read last. Its methods may be
// called concurrently.
type indexes struct {
	mu    sync.Mutex
	byJob map[string]*jobIndex
	scans chan struct{}
}

// jobIndex is the index of a job's log.
type jobIndex struct {
	*logview.Index

	used time.Time
}

// of returns the index of a job's log, an empty one if none is known.
func (x *indexes) of(jobID string, now time.Time) *logview.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byJob == nil {
		x.byJob, x.scans = map[string]*jobIndex{}, make(chan struct{}, maxScans)
	}
	known := x.byJob[jobID]
	if known == nil {
		if len(x.byJob) >= maxIndexes {
			x.drop()
		}
		known = &jobIndex{Index: logview.NewIndex()}
		x.byJob[jobID] = known
	}
	known.used = now
	return known.Index
}

// drop removes the index that was not used for the longest time.
func (x *indexes) drop() {
	oldest := ""
	for id, index := range x.byJob {
		if oldest == "" || index.used.Before(x.byJob[oldest].used) {
			oldest = id
		}
	}
	delete(x.byJob, oldest)
}

// index returns the index of a job's log as far as it is stored now.
func (s *site) index(ctx context.Context, jobID string) (*logview.Index, error) {
	index := s.indexes.of(jobID, s.now())
	select {
	case s.indexes.scans <- struct{}{}:
		defer func() { <-s.indexes.scans }()
	case <-ctx.Done():
		return nil, errGone
	}
	err := index.Extend(s.reader(ctx, jobID))
	return index, err //nolint:wrapcheck // an error of the API has its words
}

// reader returns what reads a job's log, as the caller in the context.
func (s *site) reader(ctx context.Context, jobID string) logview.Reader {
	return func(from uint64) iter.Seq2[logview.Chunk, error] {
		return func(yield func(logview.Chunk, error) bool) {
			for chunk, err := range s.Calls.ReadLog(ctx, jobID, from) {
				if !yield(logview.Chunk{Offset: chunk.Offset, Data: chunk.Data}, err) {
					return
				}
			}
		}
	}
}

// logData is what the page of a job shows of its log: lines, and the way to others.
type logData struct {
	Lines               []logview.Shown
	From                int  // the first line
	Before, BeforeFirst int  // where earlier lines begin, and the last of them
	After               int  // where later lines begin; 0 if there are none
	NextLine            int  // from which the script follows
	Follows             bool // the script follows the log
	LogNote, LogEmpty   string
}

// log returns the end of a job's log or, with a line, the part around it.
func (s *site) log(ctx context.Context, job *switchyardv1.Job, line int) (logData, error) {
	data := logData{LogEmpty: "No output yet.", NextLine: 1, Follows: !final(job.GetState())}
	if deletion := job.GetLogDeletion(); deletion != nil {
		data.LogEmpty, data.Follows = present.LogDeletion(deletion), false
		return data, nil
	}
	if final(job.GetState()) {
		data.LogEmpty = "The job wrote nothing."
	}
	index, err := s.index(ctx, job.GetId())
	if err != nil {
		return data, err
	}
	last := index.Next().Line // perhaps without an end, or a byte
	data.From = max(1, last-shownLines+1)
	read := index.Tail
	if line > 0 {
		read = index.Window
		data.From = max(1, min(line-overlap, last))
		data.Follows = data.Follows && data.From+shownLines > last
	}
	shown, partial, err := read(s.reader(ctx, job.GetId()), data.From, shownLines)
	if err != nil {
		return data, err
	}
	if len(shown) > 0 {
		data.From = shown[0].Number
	}
	data.Lines, data.NextLine = shown, data.From+len(shown)
	if partial {
		data.NextLine--
	}
	data.Before, data.BeforeFirst = max(1, data.From-shownLines+overlap), data.From-1
	if !data.Follows && data.NextLine < last {
		data.After = data.NextLine + overlap
	}
	if size := job.GetLogSize(); size > 0 {
		data.LogNote = fmt.Sprintf("%s lines, %s", present.Count(int64(last)-1), logview.Size(size))
	}
	if job.GetLogCut() {
		data.LogNote += ", cut at its limit"
	}
	return data, nil
}

// logLines responds with lines of a job's log, for the script.
func (s *site) logLines(w http.ResponseWriter, r *http.Request) error {
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	count, _ := strconv.Atoi(r.URL.Query().Get("count"))
	if from < 1 || count < 1 || count > maxLines {
		return &problem{http.StatusBadRequest, fmt.Sprintf("The line must be 1 or more, and the count 1 to %d.", maxLines)}
	}
	id := r.PathValue("id")
	index, err := s.index(r.Context(), id)
	if err != nil {
		return err
	}
	shown, _, err := index.Window(s.reader(r.Context(), id), from, count)
	if err != nil {
		return err //nolint:wrapcheck // an error of the API has its words
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct { //nolint:errchkjson // numbers and texts; the reader may have gone
		Lines []logview.Shown `json:"lines"`
	}{shown})
	return nil
}

// logRaw responds with a job's log as it was written.
func (s *site) logRaw(w http.ResponseWriter, r *http.Request) error {
	id, begun, control := r.PathValue("id"), false, http.NewResponseController(w)
	for chunk, err := range s.Calls.ReadLog(r.Context(), id, 0) {
		if err != nil {
			if begun { // the reader must see that it is not the whole log
				panic(http.ErrAbortHandler)
			}
			return err
		}
		if !begun {
			begun = true
			rawHeader(w, id)
		}
		if _, err := w.Write(chunk.Data); err != nil {
			return errGone
		}
		if control.Flush() != nil { // each flush begins a new time limit
			return errGone
		}
	}
	if !begun {
		rawHeader(w, id)
	}
	return nil
}

// rawHeader has browsers store a log, and never show it as something else.
func rawHeader(w http.ResponseWriter, id string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+id+`.log"`)
}
