// Package joblog stores the chunks of job logs, puts them in order, and follows
// jobs for people: every change of a job and every byte of its log.
//
// Workers send chunks in parallel and repeat those whose response they missed, so
// chunks arrive out of order and more than once. They are stored as they arrive;
// each reader assembles the log from them. A reader waits for a missing chunk for
// a bounded time only, then reports the gap and goes on.
package joblog
