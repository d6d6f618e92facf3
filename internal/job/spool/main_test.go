package spool

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if arguments, ok := os.LookupEnv("SPOOL_TEST_CRASH"); ok {
		fmt.Fprintln(os.Stderr, "still alive:", crash(arguments))
		os.Exit(1) //nolint:forbidigo // it is another process
	}
	goleak.VerifyTestMain(m)
}
