// Package redact keeps secrets out of a stream of output: a [Writer] stands in
// front of another one and puts [Marker] in the place of each secret that
// passes.
//
// # What is hidden
//
// Of each secret: itself without the space around it; each of its lines; and of
// each of these the standard and the URL form of base64, wherever in the
// encoded data it stands, padded or not, in one line or in lines of 64 or 76
// characters; and the two forms of URL encoding (query and path), with capital
// or small hexadecimal digits. Each is found as it is, and with colour codes
// and other control sequences of a terminal anywhere in it. Within base64 of
// something longer, the character at each end that holds bits of the secret and
// bits of its neighbour is left; it tells at most four bits.
//
// Secrets that overlap, or contain each other, are hidden as one. A secret of
// fewer than [Minimum] bytes is not hidden: a log in which each "on" or "123"
// is replaced cannot be read, and tells where they stood.
//
// # How it is found
//
// Every form begins with one of a set of heads, its first [Minimum] bytes, and
// one pass of an Aho-Corasick automaton finds where heads are, in a time that
// does not depend on how many there are. Only there the rest is compared, by a
// binary search among the forms. An automaton of whole forms would take half a
// kilobyte for every byte of a secret, and one certificate in a variable a
// hundred megabytes.
//
// # What is held back
//
// Bytes that may be the beginning of a secret wait for what follows, or for
// [Writer.Flush]; all others are passed on by the Write that brought them. So
// at most the longest form waits, with the control sequences in it.
package redact
