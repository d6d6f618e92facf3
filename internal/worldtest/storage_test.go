package worldtest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	stateStream  = "SWITCHYARD_STATE"
	statePrefix  = "switchyard.state."
	recordStream = "OBSERVED"
	recordPrefix = "observed."
)

// storage is the NATS server of a world, with a second stream that keeps every message
// that the control plane has stored. It implements nats.InProcessConnProvider, also
// while the server is away.
type storage struct {
	dir string

	mu     sync.Mutex
	server *server.Server // nil while it is away
	read   []stored       // the messages that were read so far
}

// newStorage starts a server on an empty directory. The stream of the control plane's
// state exists before the control plane, which keeps the setting that copies it.
func newStorage(t *testing.T, dir string) *storage {
	t.Helper()
	s := &storage{dir: dir}
	must(t, s.start())
	js, done := s.connect(t)
	defer done()
	for _, config := range []jetstream.StreamConfig{
		// Copies keep the headers of a time to live and of a batch, and the sequence that they expect.
		{Name: recordStream, Subjects: []string{recordPrefix + ">"}, AllowMsgTTL: true, AllowAtomicPublish: true},
		{
			Name: stateStream, Subjects: []string{statePrefix + ">"}, MaxMsgsPerSubject: 1, AllowMsgTTL: true,
			RePublish: &jetstream.RePublish{Source: statePrefix + ">", Destination: recordPrefix + ">"},
		},
	} {
		_, err := js.CreateStream(t.Context(), config)
		must(t, err)
	}
	return s
}

func (s *storage) start() error { return s.startWith(true) }

// startWith starts a server, with or without its streams.
func (s *storage) startWith(streams bool) error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "world", DontListen: true, JetStream: streams, StoreDir: s.dir, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return err
	}
	srv.Start()
	if !srv.ReadyForConnections(time.Minute) || srv.JetStreamEnabled() != streams {
		return errors.New("the NATS server is not ready")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = srv
	return nil
}

// stop ends the server. What it has acknowledged is in its files.
func (s *storage) stop() {
	s.mu.Lock()
	srv := s.server
	s.server = nil
	s.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// InProcessConn implements nats.InProcessConnProvider.
func (s *storage) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil, errors.New("the NATS server is away")
	}
	return s.server.InProcessConn()
}

// connect returns a connection of the test's own.
func (s *storage) connect(t *testing.T) (_ jetstream.JetStream, done func()) {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(s))
	must(t, err)
	js, err := jetstream.New(nc)
	must(t, err)
	return js, nc.Close
}

// stored is one stored message.
type stored struct {
	subject  string // without statePrefix
	sequence uint64
	replaces uint64 // the sequence of the message before it on the subject; 0 is none
	data     []byte
}

// records returns every message that the control plane has stored, in order.
func (s *storage) records(ctx context.Context, t *testing.T) []stored {
	t.Helper()
	js, done := s.connect(t)
	defer done()
	stream, err := js.Stream(ctx, recordStream)
	must(t, err)
	for i := uint64(len(s.read)) + 1; i <= stream.CachedInfo().State.LastSeq; i++ {
		msg, err := stream.GetMsg(ctx, i)
		must(t, err)
		sequence, err := strconv.ParseUint(msg.Header.Get("Nats-Sequence"), 10, 64)
		must(t, err)
		replaces, err := strconv.ParseUint(msg.Header.Get("Nats-Last-Sequence"), 10, 64)
		must(t, err)
		s.read = append(s.read, stored{strings.TrimPrefix(msg.Subject, recordPrefix), sequence, replaces, msg.Data})
	}
	return s.read
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *storage) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server == nil
}
