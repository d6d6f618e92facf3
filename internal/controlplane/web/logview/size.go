package logview

import "fmt"

// Size returns a number of bytes for people.
func Size(n uint64) string {
	const kibi, mebi, gibi = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n < kibi:
		return fmt.Sprintf("%d B", n)
	case n < mebi:
		return fmt.Sprintf("%.1f KiB", float64(n)/kibi)
	case n < gibi:
		return fmt.Sprintf("%.1f MiB", float64(n)/mebi)
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/gibi)
	}
}
