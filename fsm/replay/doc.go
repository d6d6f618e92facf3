// Package replay runs events through the table of package fsm, and checks that
// each answer is the expected or recorded one.
//
// A script holds events and the expected answers. The scripts in
// testdata/scenarios at the top of the repository specify the machine by example.
//
// A log is what workers did, as they recorded it: a line of JSON for each event,
// with the machine's answer and its facts afterwards. A table that has changed
// since may answer differently; the first such place is a DivergenceError. A log
// has this form:
//
//   - each file begins with an fsm.LogHeader, which names the version of the table;
//   - an fsm.Record follows for each event, in the order of each worker's events;
//   - the first record of a worker in a file is whole: it lists the jobs that the
//     worker has seen, so that the file can be replayed alone;
//   - an fsm.LogGap stands for records that are missing; the next record of each
//     worker is whole again.
//
// Timeline draws a log: the states of workers over time, with their jobs, pings
// and losses of the stream.
package replay
