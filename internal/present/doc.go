// Package present writes jobs and workers as text for people, and as JSON for
// programs: one object on each line, with the field names of protobuf's JSON and the
// words of the command line.
//
// Text from the network goes through Safe before it is shown on a terminal. The
// exception is a job's log, which is written byte for byte.
package present
