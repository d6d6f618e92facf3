package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/transport"
)

const agentDescription = `Runs jobs on this machine until it is told to leave.

The first SIGINT or SIGTERM drains: no more work is taken, what runs is finished.
The second cancels what runs, and leaves. The third exits at once. SIGUSR1 writes
the last events of each worker to a file, for fsm replay.

Exit codes: 0 when it left as it was told, 1 when it could not go on, 2 when a
setting is wrong, 128 and the number of the signal after a third signal; with
--acquire-job, 27 when the control plane will not hand out the job, and 28 when
the job still waits for another one after five minutes.

BUILDKITE_REQUEST_HEADER_BUILDKITE_NAME=VALUE in the environment has it send the
header Buildkite-Name, until the control plane asks for others.`

// agentStart is `switchyard agent start`.
func (a *app) agentStart() *cli.Command {
	return &cli.Command{
		Name:        "start",
		Usage:       "run an agent until it is told to leave",
		Description: agentDescription,
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{
				Name: flagEndpoint, Value: agent.DefaultEndpoint,
				Usage:   "`URL` of the control plane's agent API: http, https, or unix:///path/to.sock:/v3 for a Unix socket",
				Sources: a.settings.Value("agent.endpoint"),
			},
			&cli.StringFlag{
				Name: flagToken, Usage: "registration `TOKEN`; other users of this machine can see it, so prefer the file",
				Sources: a.settings.Value("agent.token"),
			},
			&cli.StringFlag{
				Name: flagToken + "-file", Usage: "`FILE` that holds the registration token",
				DefaultText: "registration-token in the data directory, if the control plane is on this machine",
				Sources:     a.settings.Value("agent.token-file"), TakesFile: true,
			},
			a.dataDirFlag("`DIR` where a control plane on this machine keeps its data, the registration token among it"),
			&cli.StringFlag{
				Name: flagCAFile, Usage: "PEM `FILE` of the authorities that may have signed the control plane's certificate",
				DefaultText: "the system's", Sources: a.settings.Value("agent.ca-file"), TakesFile: true,
			},
			&cli.StringFlag{
				Name: flagExtraCAFile, Usage: "PEM `FILE` of authorities to trust beside those",
				Sources: a.settings.Value("agent.extra-ca-file"), TakesFile: true,
			},
			&cli.StringFlag{
				Name: flagTLSMinVersion, Value: config.TLSVersions()[0], Usage: "speak `VERSION` of TLS or a later one: 1.2 or 1.3",
				Sources: a.settings.Value("agent.tls-min-version"), Validator: oneOf(config.TLSVersions()...),
			},
			&cli.StringFlag{
				Name: flagClientCert, Usage: "PEM `FILE` of the agent's own certificate",
				Sources: a.settings.Value("agent.client-cert"), TakesFile: true,
			},
			&cli.StringFlag{
				Name: flagClientKey, Usage: "PEM `FILE` of the key of the agent's own certificate",
				Sources: a.settings.Value("agent.client-key"), TakesFile: true,
			},
			&cli.StringFlag{
				Name: flagAcquireJob, Usage: "run the job with this `ID`, and leave",
				Sources: a.settings.Value("agent.acquire-job"),
			},
		}, a.workerFlags()...), a.logFlags("info")...),
		Action: a.startAgent,
	}
}

func (a *app) startAgent(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	settings, err := a.agentConfig(cmd)
	if err != nil {
		return err
	}
	settings.Endpoint = cmd.String(flagEndpoint)
	settings.AcquireJob = cmd.String(flagAcquireJob)
	settings.Headers = requestHeaders(os.Environ())
	if settings.Token, err = a.registrationToken(cmd, settings.Endpoint); err != nil {
		return err
	}
	if settings.TLS, err = config.ClientTLS(config.ClientTLSOptions{
		CAFile:      cmd.String(flagCAFile),
		ExtraCAFile: cmd.String(flagExtraCAFile),
		CertFile:    cmd.String(flagClientCert),
		KeyFile:     cmd.String(flagClientKey),
		MinVersion:  cmd.String(flagTLSMinVersion),
	}); err != nil {
		return usage(cmd, "%w", err)
	}
	defer inherit(&settings)()
	daemon, err := agent.New(settings)
	if err != nil {
		return usage(cmd, "%w", err)
	}
	defer a.historyOnSignal(daemon)()
	return a.untilLeft(leaving(daemon), func() error {
		return exitOfAcquire(hintAtTLS(hintAtPath(settings.Endpoint, daemon.Run(ctx))))
	})
}

// hintAtPath adds, where something that is not the agents' API has answered, that
// the endpoint lacks the path of that API.
func hintAtPath(endpoint string, err error) error {
	status, ok := errors.AsType[*transport.StatusError](err)
	if !ok || status.FromControlPlane || status.Code != http.StatusNotFound ||
		strings.HasSuffix(strings.TrimRight(endpoint, "/"), agentPath) {
		return err
	}
	usual := strings.TrimRight(endpoint, "/")
	if strings.HasPrefix(usual, "unix://") {
		usual += ":"
	}
	return fmt.Errorf("%w; the agents' API is usually at %s%s", err, usual, agentPath)
}

// exitOfAcquire gives the ways in which a job cannot be had the exit codes that
// existing agents have for them.
func exitOfAcquire(err error) error {
	switch {
	case errors.Is(err, transport.ErrAcquireRejected):
		return &exitError{code: exitAcquireRejected, err: err}
	case errors.Is(err, transport.ErrAcquireLocked):
		return &exitError{code: exitAcquireLocked, err: err}
	default:
		return err
	}
}

// hintAtTLS adds which flags help where the two sides do not trust each other.
func hintAtTLS(err error) error {
	if errors.Is(err, httpclient.ErrUnknownAuthority) {
		return fmt.Errorf("%w; name the authority's certificate with --%s, or --%s", err, flagExtraCAFile, flagCAFile)
	}
	if errors.Is(err, httpclient.ErrClientCertificate) {
		return fmt.Errorf("%w; give one with --%s and --%s", err, flagClientCert, flagClientKey)
	}
	return err
}

// registrationToken is the token that was given or, for a control plane on this
// machine, the one in its data directory.
func (a *app) registrationToken(cmd *cli.Command, endpoint string) (string, error) {
	token, err := a.settings.Token(cmd, flagToken, "agent."+flagToken)
	if err != nil {
		return "", usage(cmd, "%w", err)
	}
	if token != "" {
		return token, nil
	}
	return localToken(cmd, endpoint, tokenKind{
		what: "registration token", flag: "--" + flagToken + "-file", file: datadir.RegistrationTokenFile,
	})
}
