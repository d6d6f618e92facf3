package dispatch

import (
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
