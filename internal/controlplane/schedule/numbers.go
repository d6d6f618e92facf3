package schedule

// numbers assigns a small number to each value for as long as it is used, so that what
// many jobs have in common takes four bytes in each, and no pointer.
type numbers[V comparable] struct {
	byValue map[V]uint32
	values  []V
	uses    []int // of the number
	free    []uint32
}

func newNumbers[V comparable]() numbers[V] { return numbers[V]{byValue: map[V]uint32{}} }

// use returns the number of a value, a new one if it has none, and counts the use.
func (n *numbers[V]) use(v V) uint32 {
	number, known := n.byValue[v]
	switch {
	case known:
	case len(n.free) > 0:
		number = n.free[len(n.free)-1]
		n.free = n.free[:len(n.free)-1]
		n.values[number] = v
	default:
		number = uint32(len(n.values)) //nolint:gosec // fewer than there are jobs
		n.values, n.uses = append(n.values, v), append(n.uses, 0)
	}
	n.byValue[v] = number
	n.uses[number]++
	return number
}

// release ends one use. With the last one the value has no number any more.
func (n *numbers[V]) release(number uint32) {
	n.uses[number]--
	if n.uses[number] > 0 {
		return
	}
	delete(n.byValue, n.values[number])
	var none V
	n.values[number] = none
	n.free = append(n.free, number)
}
