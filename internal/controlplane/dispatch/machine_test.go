package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A report is shown until something happens by which the state must have changed.
func TestMachineReportIsShownWhileItMayBeTrue(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(p *plant, worker string)
		want   string
	}{
		{"nothing", func(*plant, string) {}, "FallingBack"},
		{"a sign of life", func(p *plant, w string) { must(t, p.Heartbeat(t.Context(), w)) }, "FallingBack"},
		{"its stream opens", func(p *plant, w string) { p.attached(w) }, ""},
		{"its stream ends", func(p *plant, w string) {
			feed := p.attached(w)
			p.Report(w, wire.MachineState{Name: "FallingBack", Control: wire.ControlPoll})
			p.detach(w, feed)
		}, ""},
		{"a job runs", func(p *plant, w string) {
			p.run(w, record.Job{})
			p.Report(w, wire.MachineState{Name: "Running", Control: wire.ControlStream})
		}, "Running"},
		{"its job ends", func(p *plant, w string) {
			g := p.run(w, record.Job{})
			p.Report(w, wire.MachineState{Name: "Running", Control: wire.ControlStream})
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlant(t, Options{})
			w := p.register("w")
			p.Report(w, wire.MachineState{Name: "FallingBack", Control: wire.ControlPoll, For: time.Minute})
			row.happen(p, w)
			v, err := p.Worker(t.Context(), "w")
			must(t, err)
			if v.Machine.State != row.want {
				t.Errorf("machine %+v, want the state %q", v.Machine, row.want)
			}
		})
	}
}

// Replicas get a report with the next signs of life, by the clock of each.
func TestReplicasShareMachineReports(t *testing.T) {
	one, two := twoPlants(t)
	w := one.register("w")
	until(t, "the other replica knows the worker", func() bool {
		_, err := two.Worker(t.Context(), "w")
		return err == nil
	})
	one.Report(w, wire.MachineState{Name: "FallingBack", Control: wire.ControlPoll, For: time.Minute})
	one.pass(time.Second)
	var v schedule.Worker
	until(t, "the other replica shows the report", func() bool {
		var err error
		v, err = two.Worker(t.Context(), w)
		return err == nil && v.Machine.State != ""
	})
	if v.Machine.State != "FallingBack" || v.Machine.Control != wire.ControlPoll || v.Machine.At.Sub(v.Machine.Since) != time.Minute+time.Second {
		t.Errorf("machine %+v, want FallingBack since a minute and a second", v.Machine)
	}
	// A later report of another replica replaces it.
	two.Report(w, wire.MachineState{Name: "Running", Control: wire.ControlStream})
	two.pass(time.Second)
	until(t, "the first replica shows the later report", func() bool {
		v, err := one.Worker(t.Context(), w)
		return err == nil && v.Machine.State == "Running"
	})
}

// The changes that reports show are kept, with what the control plane saw happen before
// each: the newest first, and not more than so many. A report that says the same
// changes nothing.
func TestMachineChanges(t *testing.T) {
	p := newPlant(t, Options{})
	w := p.register("w")
	report := func(state string, age time.Duration) {
		p.Report(w, wire.MachineState{Name: state, Control: wire.ControlPoll, For: age})
	}
	expect := func(want ...string) {
		t.Helper()
		v, err := p.Worker(t.Context(), "w")
		must(t, err)
		var got []string
		for _, c := range v.MachineChanges {
			got = append(got, fmt.Sprintf("%s %s %s: %s", p.now().Sub(c.At), c.From, c.To, c.Cause))
		}
		if !slices.Equal(got, want) {
			t.Errorf("changes %q, want %q", got, want)
		}
	}
	expect()
	report("FallingBack", time.Minute)
	expect()
	report("FallingBack", time.Minute)
	feed := p.attached(w)
	report("StreamHealthy", 0)
	opened := "0s FallingBack StreamHealthy: its stream opened"
	expect(opened)
	g := p.run(w, record.Job{})
	report("Running", 0)
	took := "0s StreamHealthy Running: it was given job " + g.JobID
	expect(took, opened)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	report("StreamHealthy", 0)
	finished := "0s Running StreamHealthy: its job ended: " + g.JobID
	expect(finished, took, opened)
	g = p.run(w, record.Job{})
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	report("StreamHealthy", 0)
	again := "0s  StreamHealthy: its job ended: " + g.JobID
	expect(again, finished, took, opened)
	p.detach(w, feed)
	report("FallingBack", time.Second)
	expect("1s StreamHealthy FallingBack: its stream ended", again, finished, took, opened)
	page, err := p.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
	if err != nil || len(page.Workers) != 1 || page.Workers[0].MachineChanges != nil {
		t.Errorf("a list has changes: %+v, %v", page.Workers, err)
	}
	for range 20 {
		report("Reclaiming", 0)
		report("FallingBack", 0)
	}
	v, err := p.Worker(t.Context(), "w")
	must(t, err)
	if len(v.MachineChanges) != 16 || v.MachineChanges[0].To != "FallingBack" || v.MachineChanges[15].To != "Reclaiming" {
		t.Errorf("%d changes: %+v", len(v.MachineChanges), v.MachineChanges)
	}
}

// What another replica received a moment before this one does not count as a change back.
func TestLateSignalIsNoMachineChange(t *testing.T) {
	x, now := schedule.New(), time.Now()
	x.ApplyWorker(record.Worker{ID: "w", Queue: "default", Revision: 1}, now)
	at := func(state string, since, at time.Duration) schedule.Machine {
		return schedule.Machine{State: state, Since: now.Add(since), At: now.Add(at)}
	}
	x.ReportMachine("w", at("Running", 0, 0))
	x.ReportMachine("w", at("StreamHealthy", 5*time.Second, 5*time.Second))
	x.ReportMachineElsewhere("w", at("Running", 0, 6*time.Second))
	if changes := x.MachineChanges("w"); len(changes) != 1 || changes[0].To != "StreamHealthy" {
		t.Errorf("changes %+v", changes)
	}
	x.ReportMachineElsewhere("w", at("Running", 6*time.Second, 7*time.Second))
	if changes := x.MachineChanges("w"); len(changes) != 2 || changes[0].To != "Running" {
		t.Errorf("changes %+v", changes)
	}
}
