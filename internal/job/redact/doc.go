// Package redact removes secrets from a stream of output. A [Writer] stands in
// front of another writer and replaces each secret of a [Secrets] set with
// [Marker].
//
// # What is hidden
//
// These forms of each secret are hidden: the secret without the space around
// it, each of its lines, and of each of these
//   - the text between the quotes, or with the escapes, of a shell that traces a command,
//     lists its variables or quotes a value: bash, zsh, dash, fish; of JSON as Go, Python,
//     JavaScript, PHP and jq write it; of literals in these languages; of SQL, YAML, make,
//     XML and HTML;
//   - standard and URL base64, at any position of the encoded data, padded or
//     not, in one line or in lines of 64 or 76 characters;
//   - URL encoding with any of the usual sets of characters that are left as they are,
//     with upper-case or lower-case hexadecimal digits.
//
// Each form is found as it is, and with color codes and other terminal control
// sequences anywhere in it. In base64 of a longer text, the characters at both
// ends that hold bits of the secret and of its neighbor stay visible. They
// reveal at most four bits.
//
// Not hidden are: a value that a program has changed in another way (compressed, reversed,
// in hexadecimal, with other letter cases), two of these encodings one after the other,
// and a part of a value, such as one of the words into which a shell splits it.
//
// Secrets that overlap or contain each other are replaced by one marker. A
// secret shorter than [Minimum] bytes is not hidden: a log in which every "on"
// or "123" is replaced is unreadable, and shows where the secret stood.
//
// # How it is found
//
// An Aho-Corasick automaton finds the first [Minimum] bytes of every form in one
// pass, in a time that does not depend on the number of forms. The rest of a
// form is compared only there, by a binary search. An automaton of whole forms
// would need half a kilobyte for every byte of a secret.
//
// # What is held back
//
// Bytes that may be the beginning of a secret are held back until more output
// decides, or until [Writer.Flush]: at most the longest form, with the control
// sequences in it. All other bytes are passed on at once.
package redact
