package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

//nolint:dupword // a list of words and what they mean
const tokenDescription = `Creates a token and writes it to standard output, or to a file that only its owner can
read (--output-file), this once: the control plane keeps its hash only. --scope is what
the token may do:

  register  register workers; --queue limits them to these queues
  submit    submit jobs, and show, follow and cancel them; --queue limits it to the
            jobs of these queues
  read      list and show jobs and workers, and read logs
  operate   everything, as the admin token

Agents take the token with --token-file, and the other commands with
--admin-token-file. To replace a token without an interruption, create another one of
the same name, change the file of those who use it, and revoke the old one by its ID
when the column USED of token list no longer changes.`

// tokenCreate returns `switchyard token create`.
func (a *app) tokenCreate() *cobra.Command {
	cmd := cli.Command("create NAME", "create a token and write it to standard output", cli.OneArg("name"))
	cmd.Long = tokenDescription
	request, life, path := &switchyardv1.CreateTokenRequest{}, time.Duration(0), ""
	flags := cli.PerCall(cmd)
	cli.Var(flags, &request.Scope, "scope", "SCOPE", "what the token may do: register, submit, read or operate (required)",
		present.ParseTokenScope).Default("")
	cli.List(flags, &request.Queues, "queue", "NAME", "queue that the token is limited to; may be repeated", cli.Each(cli.AnyText)).
		Default("all queues")
	cli.Var(flags, &life, "expires-in", "DURATION", "how long the token is valid, such as 2160h", cli.Positive).
		Default("without an end")
	flags.File(&path, "output-file", "FILE", "new file for the token, which only its owner can read").Default("standard output")
	c := connectionFlags(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if request.GetScope() == switchyardv1.TokenScope_TOKEN_SCOPE_UNSPECIFIED {
			return cli.Usagef(cmd, "--scope is missing: register, submit, read or operate")
		}
		return nil
	}
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, names []string) error {
		request.Name = names[0]
		if life > 0 {
			request.ExpiresIn = durationpb.New(life)
		}
		if path != "" {
			ctx, stop := cli.Interruptible(ctx)
			defer stop()
			return interrupted(a.createTokenInFile(ctx, caller, request, path, c.JSON()),
				"%s was not written; if the token was created, token list has it: revoke it", path)
		}
		created, err := caller.CreateToken(ctx, request)
		if err != nil {
			return err
		}
		if c.JSON() {
			return present.JSON(a.Stdout, created)
		}
		a.Notef("%s; it is shown only once", describeToken(created.GetToken()))
		return a.Printf("%s\n", created.GetSecret())
	})
	return cmd
}

func describeToken(token *switchyardv1.Token) string {
	return fmt.Sprintf("token %s (%s) has the scope %s",
		present.Safe(token.GetName()), token.GetId(), present.TokenScope(token.GetScope()))
}

// createTokenInFile creates a token and writes it to a new file, which it creates first:
// a token that cannot be written would be lost. Without a token there is no file.
func (a *app) createTokenInFile(
	ctx context.Context, caller *client.Client, request *switchyardv1.CreateTokenRequest, path string, asJSON bool,
) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating the token file: %w; no token was created: name another file, or move this one away", err)
	}
	if err != nil {
		return fmt.Errorf("creating the token file: %w; no token was created", err)
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = fmt.Errorf("writing the token file: %w", closed)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	created, err := caller.CreateToken(ctx, request)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(file, created.GetSecret()); err != nil {
		return fmt.Errorf("writing the token file, revoke the token %s: %w", created.GetToken().GetId(), err)
	}
	if asJSON {
		created.Secret = ""
		return present.JSON(a.Stdout, created)
	}
	a.Notef("%s; it is in %s", describeToken(created.GetToken()), path)
	return nil
}

// tokenList returns `switchyard token list`.
func (a *app) tokenList() *cobra.Command {
	cmd := cli.Command("list", "list tokens, the oldest first", cli.NoArgs)
	var all bool
	cli.PerCall(cmd).Bool(&all, "revoked", "list revoked tokens too, which are kept as long as jobs that ended")
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
		tokens, err := caller.Tokens(ctx, all)
		if err != nil {
			return err
		}
		return writeRows(a, c.Output, tokens, present.Tokens)
	})
	return cmd
}

// tokenRevoke returns `switchyard token revoke`.
func (a *app) tokenRevoke() *cobra.Command {
	cmd := cli.Command("revoke ID-OR-NAME...", "end tokens at once, and turn away the workers that registered with them",
		cli.SomeArgs("token ID or name"))
	cmd.Long = `Ends tokens at once, and turns away the workers that registered with them. The name
registration-token is that of all earlier contents of this file in the data directory of
the control plane, which accepts the present content as before.`
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		return a.changeEach(ctx, c.Output, ids, func(id string) (result, error) {
			r, err := caller.RevokeToken(ctx, id)
			line := fmt.Sprintf("token %s (%s) revoked; workers turned away: %d",
				present.Safe(r.GetToken().GetName()), r.GetToken().GetId(), r.GetRevokedWorkers())
			return result{r, line, r.GetUnchanged()}, err
		})
	})
	return cmd
}
