// Package access knows the tokens of people, programs and agents: the two of the
// data directory, and the named tokens in the store, which replicas share. It
// returns who presents a token, and what that caller may do. Session tokens of
// workers and tokens of jobs belong to package dispatch.
package access
