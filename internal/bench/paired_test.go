package main

import "testing"

// TestMedianInterval compares with the ranks that tables of the sign test have.
func TestMedianInterval(t *testing.T) {
	t.Parallel()
	upTo := func(n int) (values []float64) {
		for i := range n {
			values = append(values, float64(n-i)) // 1 to n, not in order
		}
		return values
	}
	for _, row := range []struct {
		values []float64
		want   interval
	}{
		{nil, interval{}},
		{upTo(1), interval{1, 1, 1, false}},
		{upTo(5), interval{1, 3, 5, false}},
		{upTo(6), interval{1, 3.5, 6, true}},
		{upTo(9), interval{2, 5, 8, true}},
		{upTo(15), interval{4, 8, 12, true}},
		{upTo(20), interval{6, 10.5, 15, true}},
		{upTo(100), interval{40, 50.5, 61, true}},
	} {
		if got := medianInterval(row.values); got != row.want {
			t.Errorf("%d values: %+v, want %+v", len(row.values), got, row.want)
		}
	}
}

func TestIntervalsAgainstABound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		low, high float64
		known     bool
		want      string
	}{
		{-1, 1, true, within},
		{-1, 2, true, within},
		{-1, 2.1, true, cannotTell},
		{2, 3, true, cannotTell},
		{2.1, 3, true, over},
		{-1, 1, false, cannotTell},
	} {
		if got := (interval{row.low, row.low, row.high, row.known}).against(2); got != row.want {
			t.Errorf("%v to %v: %s, want %s", row.low, row.high, got, row.want)
		}
	}
}
