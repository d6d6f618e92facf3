// Package present writes jobs and agents for people, as text, and for programs,
// as JSON: one object a line, with the names that the protocol's JSON has.
//
// What came over the network and is shown on a terminal passes through Safe,
// except for a job's log: that is written byte for byte, as the job wrote it.
package present
