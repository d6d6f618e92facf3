package command

import (
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// WarnIfReadable logs a warning for each token file, named by a flag, that other
// users of this machine can read. The agent and the server go on, since the secrets that container
// platforms mount have such a mode.
func WarnIfReadable(logger *zap.Logger, tokens ...*cli.Token) {
	for _, token := range tokens {
		if token.Path != "" && datadir.ReadableByOthers(token.Path) {
			logger.Warn("token file can be read by other users of this machine", zap.String("path", token.Path))
		}
	}
}
