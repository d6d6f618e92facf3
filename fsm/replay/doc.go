// Package replay runs events, written as text, through the table of package fsm
// and compares what the table answers with what is written.
//
// A script holds events with the answers that are expected. Those in
// testdata/scenarios at the top of the repository are the machine's
// specification by example.
//
// A log is what workers did, as they recorded it: a line of JSON for each event,
// with the answer of the machine and what it knew afterwards. A table that has
// changed since answers otherwise somewhere; the first such place is a
// DivergenceError. A log has this form:
//
//   - each file begins with a Header, which names the version of the table;
//   - a Record follows for each event, in the order of each worker's events;
//   - the first record of a worker in a file is whole: it says which jobs the
//     worker has seen, so that a file stands for itself;
//   - a Gap says that records are missing; those after it begin anew.
//
// Timeline draws a log: the states of workers over time, with their jobs, pings
// and losses of the stream.
package replay
