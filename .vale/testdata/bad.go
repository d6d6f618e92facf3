// Package bad holds comments, strings and names that the check must refuse.
package bad

// ready reports that, but it tells whether the stream is up. (want Dialect)
func ready() bool { return true }

// judge is a name that is only the word. (want Dialect)
func (s *state) judge() {} // (want Dialect)

type sentence struct{} // (want Names)

type jobsOwed struct { // (want Names)
	heardLast int // (want Names)
	allowed   int
	followed  int
}

const strayProcess = "a leftover process" // (want Names)

// Kind says what to do. (want Verbs)
//
// Kind is a number that says what to do.
type Kind int

/* A block
   comment gives nothing. (want Dialect) */
func log(logger *zap.Logger, owedResult error) { // (want Names)
	logger.Info("the worker is to leave") // (want Dialect)
	logger.Info(`what is no glob`)        // (want Dialect)
	findings := errors.New("missing job ID") // (want Names)
	logger.Info("job accepted", zap.String("job", "1")) // (want Fields)
	logger.Info("job accepted", zap.String("job_id", "1"))
}
