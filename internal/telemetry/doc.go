// Package telemetry is how a running Switchyard is watched from outside.
//
// The log is one line an event, to standard error: for people on a terminal, as
// JSON anywhere else, unless a format is asked for.
package telemetry
