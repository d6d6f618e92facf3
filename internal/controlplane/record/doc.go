// Package record holds the stored records of jobs, workers and named tokens, and the
// errors that name a record or a field of a request. It is pure: it knows neither how a record
// is stored nor who changes it, so packages that decide on records import it
// without the store.
package record
