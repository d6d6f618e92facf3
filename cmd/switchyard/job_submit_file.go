package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// maxLine bounds a line, in bytes: the largest job, in JSON.
	maxLine = 4 << 20
	// readAhead is how much of the file is read at a time, in bytes. When it is used up
	// the jobs read so far are submitted: a program that writes slowly is not waited for.
	readAhead = 256 << 10
	// callJobs, callBytes and callElements bound the jobs of one call, well below what
	// the control plane accepts. A single job may have more.
	callJobs     = 500
	callBytes    = 1 << 20
	callElements = 20_000
	// submitRetryWait is the wait before a call is repeated.
	submitRetryWait = time.Second
	// maxNamedLines bounds the lines that the error at the end names.
	maxNamedLines = 20
)

// fileSubmission submits the jobs of a file, one JSON object a line.
type fileSubmission struct {
	submit   func(context.Context, []*switchyardv1.SubmitJobRequest) ([]*switchyardv1.SubmitJobsResult, error)
	stored   func(*switchyardv1.SubmitJobsResult) error // writes a stored job
	refused  func(line int, message string)             // writes why a line was not submitted
	queue    string                                     // of a job without a queue
	tags     []string                                   // of a job without tags
	key      string                                     // begins the key of a job without one; empty adds no keys
	patience time.Duration

	lines  int           // how many were read
	jobs   []numberedJob // of the next call
	size   int           // of jobs, in bytes
	count  int           // of the elements of jobs
	failed []int         // the lines that were not submitted
}

// numberedJob is a job, and the line that it comes from.
type numberedJob struct {
	line int
	job  *switchyardv1.SubmitJobRequest
}

// run submits the jobs of r in its order. It goes on past a line that is refused, and
// returns an error at the end that names those lines.
func (f *fileSubmission) run(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, readAhead)
	for more := true; more; {
		text, err := readLine(in)
		more = !errors.Is(err, io.EOF)
		if err == nil || errors.Is(err, errLongLine) || !more && len(text) > 0 {
			f.lines++
		}
		if f.lines == 1 {
			text = bytes.TrimPrefix(text, []byte(config.ByteOrderMark))
		}
		switch {
		case errors.Is(err, errLongLine):
			f.refuse(f.lines, fmt.Sprintf("the line has more than %d bytes", maxLine))
		case err != nil && more:
			return f.unread(err)
		case len(bytes.TrimSpace(text)) > 0:
			if err := f.add(ctx, text); err != nil {
				return err
			}
		}
		if !more || in.Buffered() == 0 {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
	return f.result()
}

// unread returns the error of a line that could not be read.
func (f *fileSubmission) unread(err error) error {
	first := f.lines + 1
	err = fmt.Errorf("reading the jobs: %w", err)
	if len(f.jobs) > 0 {
		first = f.jobs[0].line
	}
	err = fmt.Errorf("%w; line %d and those after it were not submitted", err, first)
	return interrupted(err, "line %d and those after it were not submitted", first)
}

// result returns an error that names the lines that were not submitted, or nil.
func (f *fileSubmission) result() error {
	if len(f.failed) == 0 {
		return nil
	}
	slices.Sort(f.failed)
	var named []string
	for _, line := range f.failed[:min(len(f.failed), maxNamedLines)] {
		named = append(named, strconv.Itoa(line))
	}
	if more := len(f.failed) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d of %d lines were not submitted: %s", len(f.failed), f.lines, strings.Join(named, ", "))
}

// add decodes a line and adds its job to the next call.
func (f *fileSubmission) add(ctx context.Context, text []byte) error {
	job := &switchyardv1.SubmitJobRequest{}
	if err := protojson.Unmarshal(text, job); err != nil {
		f.refuse(f.lines, "not a job in JSON: "+explainJSON(err))
		return nil
	}
	job.Queue = cmp.Or(job.GetQueue(), f.queue)
	if len(job.GetTags()) == 0 {
		job.Tags = f.tags
	}
	if job.GetIdempotencyKey() == "" && f.key != "" {
		job.IdempotencyKey = f.key + "-" + strconv.Itoa(f.lines)
	}
	size, count := proto.Size(job), len(job.GetCommand())+len(job.GetEnv())+len(job.GetTags())
	if len(f.jobs) == callJobs || f.size+size > callBytes || f.count+count > callElements {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	f.jobs, f.size, f.count = append(f.jobs, numberedJob{f.lines, job}), f.size+size, f.count+count
	return nil
}

// columnOf matches how protojson names a place in a text of one line.
var columnOf = regexp.MustCompile(`\(line 1:(\d+)\): `)

// explainJSON returns what is wrong with a line, without the words of protocol buffers, and
// how a line is written.
func explainJSON(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ") // protojson varies its spaces
	text = strings.TrimPrefix(strings.TrimPrefix(text, "proto: "), "syntax error ")
	text = columnOf.ReplaceAllString(text, "column $1: ")
	text = strings.ReplaceAll(text, "google.protobuf.Duration value", "duration")
	return text + `; write it like {"command": ["make", "test"], "timeout": "600s"}`
}

func (f *fileSubmission) refuse(line int, message string) {
	f.failed = append(f.failed, line)
	f.refused(line, message)
}

// flush submits the jobs that were added. A job that cannot be submitted now is tried
// again for as long as patience lasts, if that cannot store it twice.
func (f *fileSubmission) flush(ctx context.Context) error {
	jobs := f.jobs
	f.jobs, f.size, f.count = nil, 0, 0
	results := make(map[int]*switchyardv1.SubmitJobsResult, len(jobs)) // by line
	left := jobs
	for deadline := time.Now().Add(f.patience); len(left) > 0; {
		err := f.call(ctx, left, results)
		left = slices.DeleteFunc(slices.Clone(left), func(n numberedJob) bool {
			r := results[n.line]
			return r != nil && (r.GetCode() != connect.CodeUnavailable.String() || n.job.GetIdempotencyKey() == "")
		})
		if err == nil && len(left) == 0 {
			break
		}
		if err != nil && !repeatable(err, left) || !time.Now().Before(deadline) || ctx.Err() != nil {
			if err == nil {
				break // each has a result of its own
			}
			return errors.Join(f.report(jobs, results), f.stopped(err, left))
		}
		select {
		case <-time.After(submitRetryWait):
		case <-ctx.Done():
		}
	}
	return f.report(jobs, results)
}

// call submits jobs once and adds their results.
func (f *fileSubmission) call(ctx context.Context, jobs []numberedJob, results map[int]*switchyardv1.SubmitJobsResult) error {
	requests := make([]*switchyardv1.SubmitJobRequest, len(jobs))
	for i, n := range jobs {
		requests[i] = n.job
	}
	got, err := f.submit(ctx, requests)
	for i, result := range got {
		results[jobs[i].line] = result
	}
	return err
}

// repeatable reports whether a call that failed can succeed later, and cannot store a
// job twice.
func repeatable(err error, jobs []numberedJob) bool {
	failed, ok := errors.AsType[*client.Error](err)
	switch {
	case !ok:
		return false
	case failed.Uncertain():
		return !slices.ContainsFunc(jobs, func(n numberedJob) bool { return n.job.GetIdempotencyKey() == "" })
	}
	return failed.Code == connect.CodeUnavailable || failed.Code == connect.CodeResourceExhausted
}

// stopped returns the error of a call that ends the submission.
func (f *fileSubmission) stopped(err error, left []numberedJob) error {
	first, last := left[0].line, left[len(left)-1].line
	if _, ok := errors.AsType[cli.InterruptedError](err); ok {
		return interrupted(err, "of lines %d to %d some may be stored, and those after them are not: "+
			"with an idempotency_key in each, or --idempotency-key, the file can be submitted again as the same jobs", first, last)
	}
	if failed, ok := errors.AsType[*client.Error](err); ok && !failed.Uncertain() {
		return fmt.Errorf("%w; line %d and those after it were not submitted", err, first)
	}
	return fmt.Errorf("%w; of lines %d to %d some may be stored, and those after them are not: "+
		"with an idempotency_key in each, or --idempotency-key, the file can be submitted again as the same jobs", err, first, last)
}

// report writes the results of jobs in their order.
func (f *fileSubmission) report(jobs []numberedJob, results map[int]*switchyardv1.SubmitJobsResult) error {
	for _, n := range jobs {
		switch r := results[n.line]; {
		case r == nil:
		case r.GetCode() != "":
			f.refuse(n.line, r.GetMessage())
		default:
			if err := f.stored(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// errLongLine means that a line is longer than maxLine, and was skipped.
var errLongLine = errors.New("the line is too long")

// readLine returns the next line. The last one may come with io.EOF.
func readLine(in *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			long, line = true, nil
		} else if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case long && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLongLine
		default:
			return line, err
		}
	}
}

// submitFile submits the jobs of a file; "-" is standard input.
func (a *app) submitFile(ctx context.Context, c *connection, caller *client.Client, s *submission) error {
	in := readUntil(ctx, func() (io.ReadCloser, error) {
		if s.file == "-" {
			return os.Stdin, nil
		}
		return os.Open(s.file)
	})
	f := &fileSubmission{
		submit: caller.SubmitAll, queue: s.request.GetQueue(), tags: s.request.GetTags(),
		key: s.request.GetIdempotencyKey(), patience: c.options.Patience,
		stored: func(r *switchyardv1.SubmitJobsResult) error {
			if c.JSON() {
				return present.JSON(a.Stdout, r)
			}
			return a.Printf("%s\n", r.GetJobId())
		},
		refused: func(line int, message string) { a.Notef("line %d: %s", line, message) },
	}
	return f.run(ctx, in)
}

// checkFile returns an error if a flag is set that does not apply to a file of jobs.
func (s *submission) checkFile(cmd *cobra.Command, args []string) error {
	if len(args) > 0 || cmd.ArgsLenAtDash() >= 0 {
		return cli.Usagef(cmd, "--file has the commands; it cannot be used with one")
	}
	if cmd.Flags().Changed("wait") {
		return cli.Usagef(cmd, "--wait cannot be used with --file; to wait for its jobs, use job wait with the IDs that it writes")
	}
	for _, name := range []string{
		"env", "env-file", "stdin", "repo", "commit", "branch", "priority", "timeout", "memory", "cpus", "pids", "retries",
	} {
		if cmd.Flags().Changed(name) {
			return cli.Usagef(cmd, "--%s cannot be used with --file: each line has its own values", name)
		}
	}
	return nil
}
