package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/gcpace"
	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// Exit codes of an agent. Those with --acquire-job are those of buildkite-agent.
const (
	ExitAcquireRejected = 27
	ExitAcquireLocked   = 28
	ExitRevoked         = 29
)

// streamsOpen is how long after the registration of its workers an agent returns the
// memory of its start: by then their streams are open.
const streamsOpen = 2 * time.Second

// AgentSignals describes, for the help of a command that runs an agent, the signals
// that stop it and its exit codes. The caller ends the sentence.
const AgentSignals = `The first SIGINT or SIGTERM drains the agent: it takes no more jobs and stops when
those that run have finished. The second cancels what runs, and stops. The third
kills what runs, and exits at once. Each counts only a second or more after the one
before. SIGQUIT cancels what runs, and stops. SIGHUP drains when the terminal is
closed; in a service it reads the certificates, the token files and, from the
configuration file, the log level again. SIGUSR1 writes the history of the workers to
a file, for fsm replay.

Exit codes: 0 when it was stopped, 1 when it failed, 2 when a setting is wrong,
29 when a worker was revoked (another start registers a new one, if the registration
token is valid), 128 plus the number of the signal after a third signal`

const agentDescription = `Runs jobs on this machine until it is stopped.

` + AgentSignals + `; with --acquire-job, 27
when the control plane refuses to hand out the job, and 28 when the job still waits
for another one after five minutes.

A variable BUILDKITE_REQUEST_HEADER_BUILDKITE_NAME=VALUE in the environment makes
the agent send the header Buildkite-Name, until the control plane asks for others.`

// AgentStart returns `switchyard agent start`.
func (a *App) AgentStart() *cobra.Command {
	cmd := cli.Command("start", "run an agent until it is stopped", cli.NoArgs)
	cmd.Long = agentDescription
	dir := &DataDir{}
	f := NewAgentFlags(dir)
	trust := config.ClientTLSOptions{MinVersion: config.TLSVersions()[0]}
	flags := cli.Settings(cmd, "agent")
	cli.List(flags, &f.Config.Endpoints, "endpoint", "URL",
		"URL of the control plane's agent API: http, https, or unix:///path/to.sock:/v3 for a Unix socket; repeated, or "+
			"with commas, for replicas of one control plane: the agent begins with any, and uses another when one fails", ParseEndpoints)
	flags.Text(&f.Config.StreamPath, "stream-path", "PATH",
		"path below which the stream is served, where a proxy serves the control plane below a path: /ci for https://host/ci/v3").
		Default("/, whatever the path of the endpoint")
	token := flags.Token("token", "registration token", "registration-token in the data directory, if the control plane is on this machine")
	dir.Declare(cmd, "data directory; that of a control plane on this machine has the registration token")
	trustFlags(flags, &trust)
	flags.Text(&f.Config.AcquireJob, "acquire-job", "ID", "run the job with this ID, and stop")
	status := statusFlag(flags)
	f.Declare(cmd)
	log := NewLogFlags(cmd, zapcore.InfoLevel)
	a.Check("agent", cmd, func() error { return checkAgent(cmd, f, trust, token) })
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := f.Read(cmd, log.Logger())
		if err != nil {
			return err
		}
		settings.Headers = requestHeaders(os.Environ())
		settings.Token, err = LocalToken(cmd, token, settings.Endpoints, dir, "registration token", datadir.RegistrationTokenFile)
		if err != nil {
			return err
		}
		certificates, err := config.WatchClientTLS(trust, func(err error) { noteCertificates(settings.Logger, err) })
		if err != nil {
			return cli.Usagef(cmd, "%w", err)
		}
		settings.CurrentTLS = certificates.Current
		status.observe(&settings)
		started := gcpace.Start()
		settings.Registered = func() { time.AfterFunc(streamsOpen, started) }
		home := f.OpenHome(&settings)
		defer home.Close()
		daemon, release, err := a.NewAgent(cmd, settings)
		if err != nil {
			return err
		}
		defer release()
		reload := func() ([]string, error) {
			changed, err := certificates.Reload()
			token, tokenErr := LocalToken(cmd, token, settings.Endpoints, dir, "registration token", datadir.RegistrationTokenFile)
			var names []string
			if changed {
				names = append(names, "certificates")
			}
			if tokenErr == nil && daemon.SetToken(token) {
				names = append(names, "registration token")
			}
			return names, errors.Join(err, tokenErr)
		}
		return a.RunAgent(daemon, log.Reloader(cmd, settings.Logger, reload), daemon.Alive, func() error {
			return status.serve(cmd.Context(), daemon, settings.Logger, func() error {
				return home.Serve(cmd.Context(), daemon, func() error {
					return hintAtTLS(hintAtPath(settings.Endpoints[0], daemon.Run(cmd.Context())))
				})
			})
		})
	}
	return cmd
}

// trustFlags declares the flags of the certificates of both sides.
func trustFlags(flags cli.Flags, trust *config.ClientTLSOptions) {
	flags.File(&trust.CAFile, "ca-file", "FILE", "PEM file of the authorities to trust for the control plane's certificate").
		Default("the system's")
	flags.File(&trust.ExtraCAFile, "extra-ca-file", "FILE", "PEM file of authorities to trust in addition")
	flags.Choice(&trust.MinVersion, "tls-min-version", "VERSION", "lowest version of TLS to accept: 1.2 or 1.3", config.TLSVersions()...)
	flags.File(&trust.CertFile, "client-cert", "FILE", "PEM file of the agent's own certificate")
	flags.SecretFile(&trust.KeyFile, "TLS key", "client-key", "FILE", "PEM file of the key of the agent's own certificate")
}

// checkAgent returns what is wrong with the settings of an agent: those that cannot be used,
// and tokens and certificates that cannot be read.
func checkAgent(cmd *cobra.Command, f *AgentFlags, trust config.ClientTLSOptions, token *cli.Token) error {
	settings, err := f.Read(cmd, zap.NewNop())
	if err != nil {
		return err
	}
	_, tlsErr := config.WatchClientTLS(trust, func(error) {})
	var tokenErr error
	settings.Token, tokenErr = LocalToken(cmd, token, settings.Endpoints, f.dataDir, "registration token", datadir.RegistrationTokenFile)
	if err := errors.Join(tlsErr, tokenErr); err != nil {
		return err
	}
	_, err = agent.New(settings)
	return err
}

// NewAgent returns an agent, with a reaper if this system has one, and, unless it has a
// receiver of traces, with the one that the environment asks for. The caller must call
// release at the end.
func (a *App) NewAgent(cmd *cobra.Command, settings agent.Config) (daemon *agent.Agent, release func(), err error) {
	endTracing := func() {}
	if settings.Tracing == nil {
		if settings.Tracing, endTracing, err = a.StartTracing(cmd.Context(), "switchyard-agent", settings.Logger); err != nil {
			return nil, nil, cli.Usagef(cmd, "%w", err)
		}
	}
	release = endTracing
	reaper, err := process.NewReaper()
	if err != nil { // the agent can run without one
		settings.Logger.Warn("processes that leave their job and its environment will not be found", zap.Error(err))
	} else {
		settings.Reaper = reaper
		release = func() {
			if err := reaper.Close(); err != nil {
				settings.Logger.Warn("closing the reaper failed", zap.Error(err))
			}
			endTracing()
		}
	}
	if daemon, err = agent.New(settings); err != nil {
		release()
		return nil, nil, cli.Usagef(cmd, "%w", err)
	}
	return daemon, release, nil
}

// noteCertificates logs what came of changed files of the agent's certificates.
func noteCertificates(logger *zap.Logger, err error) {
	if err != nil {
		logger.Error("certificate files changed, but cannot be used; the old certificates stay in use", zap.Error(err))
		return
	}
	logger.Info("certificate files changed; the new certificates are in use")
}

// RunAgent calls run, which runs the agent. SIGINT and SIGTERM drain the agent and
// end it, SIGHUP calls reload, and SIGUSR1 writes the agent's history. alive returns nil while
// what run runs works; see cli.Daemon.
func (a *App) RunAgent(daemon *agent.Agent, reload func(), alive func(context.Context) error, run func() error) error {
	defer a.historyOnSignal(daemon)()
	return cli.Daemon{Kill: daemon.Kill, Reload: reload, Alive: alive, Notef: a.Notef, Steps: []cli.Step{
		{
			Message: "draining: taking no more jobs, and stopping when those that run have finished; again to cancel what runs",
			Do:      daemon.Drain,
		},
		{Message: "canceling what runs, and stopping; again to exit at once", Do: daemon.Force},
	}}.Run(func() error {
		// Not earlier: the daemon leaves a SIGHUP alone that is ignored from the start.
		if err := process.Isolate(); err != nil {
			a.Notef("jobs may inherit what the agent was started with: %v", err)
		}
		return exitOfAgent(run())
	})
}

// historyOnSignal writes the last events of the workers to a new file at each
// SIGUSR1, and its path to standard error. The returned function ends that.
func (a *App) historyOnSignal(daemon *agent.Agent) func() {
	wanted := historySignals()
	if len(wanted) == 0 {
		return func() {}
	}
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, wanted...)
	go func() {
		defer close(done)
		for range signals {
			path, err := daemon.SaveHistory()
			if err != nil {
				a.Notef("%v", err)
				continue
			}
			a.Notef("the last events of the workers are in %s; look at them with `%s fsm replay`, or `%s agent history`", path, a.Name, a.Name)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// requestHeaders returns the headers that an environment asks to send, as
// buildkite-agent does: BUILDKITE_REQUEST_HEADER_BUILDKITE_CELL=7 is
// Buildkite-Cell: 7. Headers that do not begin with Buildkite- are left out.
func requestHeaders(environ []string) http.Header {
	headers := http.Header{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		header, ok := strings.CutPrefix(name, wire.EnvRequestHeaderPrefix)
		if ok && strings.HasPrefix(header, wire.EnvPrefix) {
			headers.Set(strings.ReplaceAll(header, "_", "-"), value)
		}
	}
	return headers
}

// exitOfAgent adds to the error of an agent whose worker was revoked an exit code of its
// own, and to the errors of a job that could not be acquired the exit codes that
// buildkite-agent has for them.
func exitOfAgent(err error) error {
	switch {
	case errors.Is(err, wire.ErrRevoked):
		return &cli.ExitError{Code: ExitRevoked, Err: err}
	case errors.Is(err, transport.ErrAcquireRejected):
		return &cli.ExitError{Code: ExitAcquireRejected, Err: err}
	case errors.Is(err, transport.ErrAcquireLocked):
		return &cli.ExitError{Code: ExitAcquireLocked, Err: err}
	default:
		return err
	}
}

// hintAtPath adds the usual path of the agents' API to the error of an endpoint
// without it, where something else has answered.
func hintAtPath(endpoint string, err error) error {
	status, ok := errors.AsType[*transport.StatusError](err)
	usual := strings.TrimRight(endpoint, "/")
	if !ok || status.FromControlPlane || status.Code != http.StatusNotFound || strings.HasSuffix(usual, wire.Prefix) {
		return err
	}
	if strings.HasPrefix(usual, "unix://") {
		usual += ":"
	}
	return fmt.Errorf("%w; the agents' API is usually at %s%s", err, usual, wire.Prefix)
}

// hintAtTLS adds the flags that help to an error of TLS.
func hintAtTLS(err error) error {
	if errors.Is(err, httpclient.ErrUnknownAuthority) {
		return fmt.Errorf("%w; name the authority's certificate with --extra-ca-file, or --ca-file", err)
	}
	if errors.Is(err, httpclient.ErrExpired) {
		return fmt.Errorf("%w; renew the certificate, or correct the clock of this machine", err)
	}
	if errors.Is(err, httpclient.ErrClientCertificate) {
		return fmt.Errorf("%w; give one with --client-cert and --client-key", err)
	}
	return err
}
