package statetable

// Kind describes a kind of event, which is its index in the list of a machine: the
// name of the constant, and one line for people.
type Kind = struct{ Name, Meaning string }

// KindOf returns the description of a kind. One that the machine does not have has
// the name EventKind(?) and no meaning.
func KindOf[K ~uint8](kinds []Kind, k K) Kind {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return Kind{Name: "EventKind(?)"}
}

// Kinds returns every kind, in the order of declaration.
func Kinds[K ~uint8](kinds []Kind) []K {
	all := make([]K, len(kinds))
	for i := range all {
		all[i] = K(i)
	}
	return all
}
