package controlplane_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// followerMemory is the most memory that a follower of a log takes, in bytes.
const followerMemory = 4 << 20

// logOf runs a job whose log has chunks of that size, which do not compress, and returns
// its ID and its log.
func (b *bed) logOf(chunks, size int) (id, log string) {
	b.t.Helper()
	job := b.accepted(b.register("w", "q"), queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token})
	random, all := rand.NewChaCha8([32]byte{}), make([]byte, chunks*size)
	_, _ = random.Read(all) // never fails
	for n := range chunks {
		b.must(http.StatusOK, request{
			method: "POST", path: fmt.Sprintf("%s/chunks?sequence=%d&offset=%d&size=%d", path, n+1, n*size, size),
			token: token, header: chunkHeader(), body: gzipped(b.t, string(all[n*size:(n+1)*size])),
		})
	}
	b.must(http.StatusOK, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`})
	return job.text("id"), string(all)
}

// A log is sent in messages that are far smaller than its chunks.
func TestFollowSendsPieces(t *testing.T) {
	b := start(t)
	const size = 300_000
	id, want := b.logOf(2, size)
	s, err := b.jobs.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{Id: id, LogOffset: 1000})
	must(t, err)
	defer s.Close()
	var got strings.Builder
	for s.Receive() {
		chunk := s.Msg().GetLog()
		if chunk == nil {
			continue
		}
		if at := uint64(got.Len() + 1000); chunk.GetOffset() != at || chunk.GetMissing() != 0 { //nolint:gosec // small
			t.Errorf("a message at offset %d with %d bytes missing, want %d and 0", chunk.GetOffset(), chunk.GetMissing(), at)
		}
		if n := len(chunk.GetData()); n == 0 || n > 64<<10 {
			t.Errorf("a message has %d bytes of the log", n)
		}
		got.Write(chunk.GetData())
	}
	if s.Err() != nil || got.String() != want[1000:] {
		t.Errorf("received %d bytes, %v; want the %d of the log", got.Len(), s.Err(), len(want)-1000)
	}
}

// Followers of a large log that do not read take a bounded amount of memory each.
func TestFollowerMemory(t *testing.T) {
	b := start(t)
	id, _ := b.logOf(40, 512<<10)
	message, err := proto.Marshal(&switchyardv1.FollowJobRequest{Id: id})
	must(t, err)
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...) //nolint:gosec // small
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/connect+proto\r\nContent-Length: %d\r\n\r\n",
		switchyardv1connect.JobServiceFollowJobProcedure, b.AdminToken(), len(body))
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // empties what sync.Pool has saved from the first
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const (
		followers = 20
		settled   = followers << 14 // what else the process does takes memory, too
	)
	for range followers {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.URL(), "http://"))
		must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write(append([]byte(head), body...))
		must(t, err)
		_, err = conn.Read(make([]byte, 1)) // it is served
		must(t, err)
	}
	// Until the buffers of the kernel are full, so that nothing is on its way.
	last, steady := heap(), 0
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for limit := time.After(waitLimit); steady < 5; {
		select {
		case <-again.C:
		case <-limit:
			t.Fatal("the memory does not settle")
		}
		now := heap()
		steady++
		if now > last+settled || last > now+settled {
			steady = 0
		}
		last = now
	}
	each := (last - min(last, before)) / followers
	t.Logf("%d bytes for each follower, at most %d", each, followerMemory)
	if each > followerMemory {
		t.Errorf("%d followers take %d bytes each, want at most %d", followers, each, followerMemory)
	}
}
