package present

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "make test", "make test"},
		{"other scripts", "größer 大", "größer 大"},
		{"an escape sequence", "a\x1b[2Jb", `a\x1b[2Jb`},
		{"lines", "a\r\nb", `a\r\nb`},
		{"a change of direction", "a\u202eb", `a\u202eb`},
		{"broken UTF-8", "a\xffb", `a\ufffdb`},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Safe(tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		argv []string
		want string
	}{
		{[]string{"go", "test", "./...", "-run=X"}, "go test ./... -run=X"},
		{[]string{"sh", "-c", "echo it's; exit 7"}, `sh -c 'echo it'"'"'s; exit 7'`},
		{[]string{"echo", "", "$HOME", "*"}, `echo '' '$HOME' '*'`},
	}
	for _, tt := range tests {
		if got := Command(tt.argv); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"queued", "assigned", "accepted", "running", "finished", "canceled", "lost", "Queued"} {
		state, err := ParseJobState(word)
		if err != nil || JobState(state) != strings.ToLower(word) {
			t.Errorf("%s: %v, %v", word, state, err)
		}
	}
	for _, word := range []string{"connected", "disconnected", "lost"} {
		state, err := ParseWorkerState(word)
		if err != nil || WorkerState(state) != word {
			t.Errorf("%s: %v, %v", word, state, err)
		}
	}
	for _, word := range []string{"succeeded", "failed", "canceled", "timed-out", "lost", "never-ran", "agent-stopped"} {
		outcome, err := ParseJobOutcome(word)
		if err != nil || JobOutcome(outcome) != word {
			t.Errorf("%s: %v, %v", word, outcome, err)
		}
	}
	_, err := ParseWorkerState("unspecified")
	if want := `must be one of connected, disconnected, lost`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		job  *switchyardv1.Job
		want string
	}{
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_QUEUED}, "queued"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_RUNNING, CancelRequested: true}, "running,canceling"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_CANCELED, CancelRequested: true}, "canceled"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_RUNNING, TimedOut: true}, "running,timing-out"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_CANCELED, Outcome: switchyardv1.JobOutcome_JOB_OUTCOME_TIMED_OUT}, "canceled,timed-out"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "7"}, "finished,7"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "-1", Signal: "SIGKILL"}, "finished,SIGKILL"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "-1"}, "finished,never-ran"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "-1", SignalReason: "agent_stop"}, "finished,end-unseen"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "-1", Signal: "SIGTERM", SignalReason: "agent_stop"}, "finished,agent-stopped"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "9", SignalReason: "agent_stop"}, "finished,agent-stopped"},
		{&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_LOST}, "lost"},
	}
	for _, tt := range tests {
		if got := Outcome(tt.job); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	err := Jobs(&b, []*switchyardv1.Job{
		{
			Id: "01B", State: switchyardv1.JobState_JOB_STATE_RUNNING, Queue: "default", WorkerName: "a\x1b1",
			Command: []string{"sh", "-c", strings.Repeat("x", 70)}, SubmittedAt: timestamppb.New(now.Add(-75 * time.Second)),
		},
		{Id: "01A", State: switchyardv1.JobState_JOB_STATE_QUEUED, Queue: "gpu", Command: []string{"true"}},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := `ID   STATE    QUEUE    WORKER  AGE    COMMAND
01B  running  default  a\x1b1  1m15s  sh -c ` + strings.Repeat("x", 53) + `…
01A  queued   gpu      -       -      true
`
	if got := b.String(); got != want {
		t.Errorf("jobs:\n%swant:\n%s", got, want)
	}
	b.Reset()
	err = Workers(&b, []*switchyardv1.Worker{
		{
			Id: "1", Name: "box-1", State: switchyardv1.WorkerState_WORKER_STATE_CONNECTED, Queue: "default", Streaming: true,
			JobId: "01B", LastSeenAt: timestamppb.New(now.Add(-3 * time.Second)),
			MachineState: "Running", MachineControl: "stream", MachineSince: timestamppb.New(now.Add(-90 * time.Second)),
		},
		{
			Id: "2", Name: "box-2", State: switchyardv1.WorkerState_WORKER_STATE_CONNECTED, Queue: "default",
			Paused: true, PauseReason: "disk is full", PausedBy: "operator", Stopping: true, LastSeenAt: timestamppb.New(now.Add(-50 * time.Hour)),
		},
		{Id: "3", Name: "box-3", State: switchyardv1.WorkerState_WORKER_STATE_LOST, Queue: "default", MachineState: "Running"},
		{ // its proxy keeps the stream open, and it does not use it
			Id: "4", Name: "box-4", State: switchyardv1.WorkerState_WORKER_STATE_CONNECTED, Queue: "default", Streaming: true,
			Unheard: true, LastSeenAt: timestamppb.New(now.Add(-47 * time.Second)),
			MachineState: "FallingBack", MachineControl: "poll", MachineSince: timestamppb.New(now.Add(-60 * time.Second)),
		},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	want = `ID  NAME   STATE                      QUEUE    BY      MACHINE            JOB  SEEN   NOTE
1   box-1  connected                  default  stream  Running,1m30s      01B  3s     -
2   box-2  connected,paused,stopping  default  poll    -                  -    2d02h  paused by operator: disk is full
3   box-3  lost                       default  -       -                  -    -      -
4   box-4  connected                  default  poll    FallingBack,1m00s  -    47s    nothing received for 47s
`
	if got := b.String(); got != want {
		t.Errorf("workers:\n%swant:\n%s", got, want)
	}
}

// TestMachineChanges writes the changes of a worker's machine below its other fields.
func TestMachineChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 28, 12, 0, 0, 0, time.Local)
	var b strings.Builder
	err := Worker(&b, &switchyardv1.Worker{
		Id: "1", Name: "box", State: switchyardv1.WorkerState_WORKER_STATE_CONNECTED,
		MachineChanges: []*switchyardv1.MachineChange{
			{From: "FallingBack", To: "StreamHealthy", At: timestamppb.New(now.Add(-3 * time.Second)), Cause: "its stream opened"},
			{From: "Stream\x1bHealthy", To: "FallingBack", At: timestamppb.New(now.Add(-time.Minute))},
			{To: "Running", At: timestamppb.New(now.Add(-time.Minute))},
		},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := `last changes  2026-10-28 11:59:57.000 ` + now.Format("MST") + ` (3s ago) FallingBack -> StreamHealthy: its stream opened
              2026-10-28 11:59:00.000 ` + now.Format("MST") + ` (1m00s ago) Stream\x1bHealthy -> FallingBack
              2026-10-28 11:59:00.000 ` + now.Format("MST") + ` (1m00s ago) (not reported) -> Running
              ` + MachineChangesNote + "\n"
	if got := b.String(); !strings.HasSuffix(got, want) {
		t.Errorf("worker:\n%s\nwant at its end:\n%s", got, want)
	}
}

// TestUsage writes what is known of the memory of a job.
// A worker is shown with the name of its token, or with its ID if the name is not known.
func TestRegisteredWith(t *testing.T) {
	const id = "0abb9485-78a2-5925-9a12-424d9c04a98b"
	for name, want := range map[string]string{"ci\x1b": "ci\\x1b", "": id} {
		var b strings.Builder
		err := Worker(&b, &switchyardv1.Worker{RegistrationTokenId: id, RegistrationTokenName: name}, time.Now())
		if err != nil || !strings.Contains(b.String(), "registered with  "+want+"\n") {
			t.Errorf("name %q: %v\n%s", name, err, &b)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]*switchyardv1.Usage{
		"":              nil,
		"1s, 0s of CPU": {Wall: durationpb.New(time.Second)},
		"0s, 0s of CPU, 1.5 MiB at most (largest process)": {PeakMemory: 3 << 19},
		"0s, 0s of CPU, 1.5 MiB at most (all processes)":   {PeakMemory: 3 << 19, Group: true},
	} {
		if got := usage(u); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestJobDetails(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := Job(&b, &switchyardv1.Job{
		Id: "01B", State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "0", Queue: "default",
		Command: []string{"make", "all"}, Env: map[string]string{"B": "2 3", "A": "1"}, Priority: -4,
		Timeout: durationpb.New(90 * time.Second), Limits: &switchyardv1.Limits{Memory: 3 << 19, Cpus: 1.5, Pids: 7}, WorkerId: "7", WorkerName: "box", LogSize: 12,
		Usage: &switchyardv1.Usage{Wall: durationpb.New(1500 * time.Millisecond), Cpu: durationpb.New(time.Second / 3), PeakMemory: 3 << 19, MemoryLimitExceeded: 1 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `id        01B
command   make all
state     finished,0
queue     default
priority  -4
timeout   1m30s
limits    1.5 MiB of memory, 1.5 CPUs, 7 processes
env       A=1 'B=2 3'
worker    box 7
used      1.5s, 333ms of CPU, 1.5 MiB at most (largest process); killed for more memory than its limit of 1.0 MiB
log       12 bytes
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A log that was deleted says by whom, once; one that was restored may lack something. Of
// a job that waits the reason is written, also where no other states are.
func TestWhatALogLacks(t *testing.T) {
	t.Parallel()
	at := timestamppb.New(time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local))
	deleted := &switchyardv1.LogDeletion{By: "ann\x1b", At: at, Bytes: 7, Reason: "to make room"}
	when := at.AsTime().Local().Format("2006-01-02 15:04:05.000 MST")
	for name, row := range map[string]struct {
		job         *switchyardv1.Job
		show, notes string
	}{
		"deleted": {
			&switchyardv1.Job{LogDeletion: deleted, LogBackupAt: at},
			"log      deleted by ann\\x1b at " + when + ", with 7 bytes: to make room\n",
			"switchyard: the log of job 01B was deleted by ann\\x1b at " + when + ", with 7 bytes: to make room\n",
		},
		"restored": {
			&switchyardv1.Job{LogBackupAt: at, LogSize: 5},
			"log           5 bytes\nlog restored  from the backup of " + when + "; output that came after it may be missing\n",
			"",
		},
		"waiting": {
			&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_QUEUED, WaitingReason: "all are busy"},
			"log      0 bytes\n", "switchyard: job 01B waits: all are busy\n",
		},
		"running": {
			&switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_RUNNING, LogSize: 3},
			"log      3 bytes\n", "",
		},
	} {
		row.job.Id, row.job.Command = "01B", []string{"true"}
		var show, notes strings.Builder
		if err := Job(&show, row.job); err != nil || !strings.Contains(show.String(), row.show) {
			t.Errorf("%s: %v, shown as\n%swant in it\n%s", name, err, show.String(), row.show)
		}
		n := &Narrator{Notes: &notes}
		for range 2 {
			if err := n.Job(row.job); err != nil {
				t.Fatal(err)
			}
		}
		if notes.String() != row.notes {
			t.Errorf("%s: notes %q, want %q", name, notes.String(), row.notes)
		}
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	entry := func(after time.Duration, event string, to switchyardv1.JobState, worker, reason string) *switchyardv1.JobEvent {
		return &switchyardv1.JobEvent{
			At: timestamppb.New(start.Add(after)), Event: event, To: to, WorkerName: worker, Reason: reason,
		}
	}
	var b strings.Builder
	err := Job(&b, &switchyardv1.Job{
		Id: "01B", State: switchyardv1.JobState_JOB_STATE_LOST, Outcome: switchyardv1.JobOutcome_JOB_OUTCOME_LOST,
		LostReason: "its worker was silent for 1m30s", LateResult: &switchyardv1.JobResult{ExitStatus: "0"},
		HistoryHead: 1, HistoryDropped: 7,
		History: []*switchyardv1.JobEvent{
			entry(0, "Submitted", switchyardv1.JobState_JOB_STATE_QUEUED, "", "no worker is connected"),
			entry(1500*time.Millisecond, "Assigned", switchyardv1.JobState_JOB_STATE_ASSIGNED, "box", "offered on its stream"),
			entry(31*time.Second, "NotAccepted", switchyardv1.JobState_JOB_STATE_QUEUED, "box", "not accepted\nwithin 30s"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `id           01B
command      
state        lost
outcome      lost
lost         its worker was silent for 1m30s
late result  exit status 0, received after the job was lost and retried
log          0 bytes

TIME          FOR    EVENT                   STATE     WORKER  WHY
12:00:00.000  1.5s   submitted               queued    -       no worker is connected
-             -      7 changes are left out  -         -       -
12:00:01.500  29.5s  assigned                assigned  box     offered on its stream
12:00:31.000  -      not accepted            queued    box     not accepted\nwithin 30s
`
	want = strings.Replace(want, "command      \n", "", 1)
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNarrator(t *testing.T) {
	t.Parallel()
	job := func(state switchyardv1.JobState, change func(*switchyardv1.Job)) *switchyardv1.Job {
		j := &switchyardv1.Job{Id: "01B", State: state, WorkerName: "box"}
		if change != nil {
			change(j)
		}
		return j
	}
	waits := job(switchyardv1.JobState_JOB_STATE_QUEUED, func(j *switchyardv1.Job) { j.WaitingReason = "no worker serves queue \"gpu\"" })
	busy := job(switchyardv1.JobState_JOB_STATE_QUEUED, func(j *switchyardv1.Job) { j.WaitingReason = "all workers are busy" })
	running := job(switchyardv1.JobState_JOB_STATE_RUNNING, nil)
	var out, notes strings.Builder
	n := &Narrator{Out: &out, Notes: &notes, States: true}
	for _, j := range []*switchyardv1.Job{
		job(switchyardv1.JobState_JOB_STATE_QUEUED, nil), waits, waits, busy,
		job(switchyardv1.JobState_JOB_STATE_ASSIGNED, nil), job(switchyardv1.JobState_JOB_STATE_ACCEPTED, nil), running, running,
		job(switchyardv1.JobState_JOB_STATE_RUNNING, func(j *switchyardv1.Job) { j.CancelRequested, j.CancelReason = true, "enough" }),
		job(switchyardv1.JobState_JOB_STATE_CANCELED, func(j *switchyardv1.Job) { j.CancelReason = "enough" }),
		job(switchyardv1.JobState_JOB_STATE_LOST, func(j *switchyardv1.Job) { j.LostReason = "its worker was silent for 1m30s" }),
		job(switchyardv1.JobState_JOB_STATE_FINISHED, func(j *switchyardv1.Job) { j.ExitStatus = "7" }),
		job(switchyardv1.JobState_JOB_STATE_FINISHED, func(j *switchyardv1.Job) { j.ExitStatus, j.Signal = "-1", "SIGKILL" }),
		job(switchyardv1.JobState_JOB_STATE_FINISHED, func(j *switchyardv1.Job) { j.ExitStatus, j.SignalReason = "-1", "process_run_error" }),
		job(switchyardv1.JobState_JOB_STATE_FINISHED, func(j *switchyardv1.Job) { j.ExitStatus, j.SignalReason = "-1", "agent_stop" }),
	} {
		if err := n.Job(j); err != nil {
			t.Fatal(err)
		}
	}
	for _, chunk := range []*switchyardv1.LogChunk{
		{Data: []byte("a\x1b[0m\n")},
		{Data: []byte("b"), Missing: 9, Gap: switchyardv1.LogGap_LOG_GAP_UNDELIVERED},
		{Missing: 1, Gap: switchyardv1.LogGap_LOG_GAP_NOT_ARRIVED},
		{Missing: 2, Gap: switchyardv1.LogGap_LOG_GAP_NOT_KEPT},
		{Missing: 3, Gap: switchyardv1.LogGap_LOG_GAP_NOT_IN_BACKUP},
	} {
		if err := n.Log(chunk); err != nil {
			t.Fatal(err)
		}
	}
	n.Interrupted(errors.New("following job 01B: gone"), time.Date(2026, 11, 24, 12, 5, 0, 0, time.Local))
	n.Reconnected()
	if got, want := out.String(), "a\x1b[0m\nb"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	want := `switchyard: job 01B waits: no worker serves queue "gpu"
switchyard: job 01B waits: all workers are busy
switchyard: job 01B runs on worker box
switchyard: job 01B is being canceled: enough
switchyard: job 01B was canceled: enough
switchyard: job 01B is lost on worker box: its worker was silent for 1m30s; how the job ended is not known
switchyard: job 01B finished with exit status 7
switchyard: job 01B was ended by SIGKILL
switchyard: job 01B was not started: the agent could not run its command; the log has the cause
switchyard: job 01B ended with the agent of its worker box, and how it ended is not known
switchyard: 9 bytes of the log are missing here; the agent could not deliver them
switchyard: 1 bytes of the log are missing here, and have not arrived so far
switchyard: 2 bytes of the log are missing here; they are not kept any more
switchyard: 3 bytes of the log are missing here; they are not in the backup from which the log was restored
switchyard: following job 01B: gone; trying again until 12:05:00
switchyard: connected again
`
	if got := notes.String(); got != want {
		t.Errorf("notes\n%swant\n%s", got, want)
	}
}
