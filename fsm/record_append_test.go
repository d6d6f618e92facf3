package fsm

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// FuzzEncode shows that a line of a log is what encoding/json writes for a recordLine,
// whatever the fields of the record are.
func FuzzEncode(f *testing.F) {
	for i, text := range []string{
		"", "plain", `quotes " and \`, "<tag> & more", "line\nnext\x00\x7f", "größer", "\u2028", "not UTF-8: \xff\xc3",
	} {
		for seed := range uint64(50) {
			f.Add(uint64(i)*1000+seed, text)
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test
		var r Record
		fill(random, text, reflect.ValueOf(&r).Elem())
		for _, whole := range []bool{false, true} {
			want, err := json.Marshal(lineOf(&r, whole))
			if err != nil {
				t.Skip(err) // a time that has no form
			}
			if got := string(r.Encode([]byte("before"), whole)); got != "before"+string(want)+"\n" {
				t.Errorf("whole %v\ngot  %s\nwant before%s", whole, got, want)
			}
		}
	})
}

// lineOf returns the line that holds a record.
func lineOf(r *Record, whole bool) *recordLine {
	facts := factsLine{Facts: r.Facts, Mailbox: r.Facts.Mailbox.ids}
	name := ""
	if whole {
		name = r.Name
		seen := append([]JobID{}, r.Facts.Seen.IDs()...) // a list even if it is empty
		facts.Seen = &seen
	}
	return &recordLine{
		Time: r.Time, Worker: r.Worker, Name: name, Event: &r.Event.Kind, Epoch: r.Event.Epoch, Job: r.Event.Job, Cause: r.Cause,
		From: &r.From, To: &r.To, Guard: r.Guard, Ignored: r.Ignored, Effects: r.Effects, Facts: &facts,
		Folded: r.Folded, Since: r.Since,
	}
}

// fill sets every field of a value, some of them to zero. A field of a type that it does
// not know makes it panic.
func fill(random *rand.Rand, text string, v reflect.Value) {
	if random.IntN(4) == 0 {
		return
	}
	ids := func() []JobID {
		list := make([]JobID, random.IntN(4))
		for i := range list {
			list[i] = JobID(strconv.Itoa(i) + text)
		}
		return list
	}
	switch field := v.Addr().Interface().(type) {
	case *time.Time:
		zone := time.FixedZone("", random.IntN(86400)-43200)
		*field = time.Unix(random.Int64N(4e9), random.Int64N(3)*5e8).In(zone)
		return
	case *Mailbox:
		*field = MailboxOf(ids()...)
		return
	case *Seen:
		*field = SeenOf(ids()...)
		return
	}
	switch v.Kind() { //nolint:exhaustive // others panic
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(random.Int64())
	case reflect.Uint8:
		v.SetUint(random.Uint64N(24)) // some have no name
	case reflect.Uint64:
		v.SetUint(random.Uint64())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fill(random, text, v.Index(i))
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(random, text, field)
		}
	default:
		panic("a field of type " + v.Type().String())
	}
}

// BenchmarkEncode compares a line with that of encoding/json.
func BenchmarkEncode(b *testing.B) {
	m, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, ev := range []Event{{Kind: Started}, {Kind: ReceivedResume, Epoch: 1}, {Kind: ReceivedJob, Epoch: 1, Job: "019a0000-0000-7000-8000-000000000000"}} {
		if _, err := m.Step(ev); err != nil {
			b.Fatal(err)
		}
	}
	r := m.Record(time.Unix(1, 1).UTC(), "019a0000-0000-7000-8000-000000000001", "")
	var line []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			line = r.Encode(line[:0], false)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(lineOf(&r, false)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
