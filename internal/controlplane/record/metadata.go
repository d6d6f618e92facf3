package record

// Metadata is the stored record of a build's meta-data: what its jobs leave there
// for one another. It is a value; Values is never changed in place.
type Metadata struct {
	// Values are the values by their keys.
	Values map[string]string
	// Revision is what a change expects to replace; 0 is none.
	Revision uint64
}
