package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/itchyny/gojq"
)

// jq stands in for the program of that name in scripts: it applies a filter to each value
// of its standard input, or with -s to all of them as one list; -r writes text as it is.
func jq() {
	raw := flag.Bool("r", false, "write text as it is")
	slurp := flag.Bool("s", false, "read all values as one list")
	flag.Parse()
	if err := filter(os.Stdin, os.Stdout, flag.Arg(0), *raw, *slurp); err != nil {
		fmt.Fprintln(os.Stderr, "jq:", err)
		os.Exit(1) //nolint:forbidigo // this is the main function of the stand-in
	}
}

func filter(in io.Reader, out io.Writer, text string, raw, slurp bool) error {
	query, err := gojq.Parse(text)
	if err != nil {
		return fmt.Errorf("filter %s: %w", text, err)
	}
	inputs := []any{}
	for decoder := json.NewDecoder(in); ; {
		var input any
		if err := decoder.Decode(&input); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("reading JSON: %w", err)
		}
		inputs = append(inputs, input)
	}
	if slurp {
		inputs = []any{inputs}
	}
	for _, input := range inputs {
		results := query.Run(input)
		for result, ok := results.Next(); ok; result, ok = results.Next() {
			if err, failed := result.(error); failed {
				return fmt.Errorf("filter %s: %w", text, err)
			}
			if line, is := result.(string); is && raw {
				fmt.Fprintln(out, line)
				continue
			}
			line, err := gojq.Marshal(result)
			if err != nil {
				return fmt.Errorf("filter %s: %w", text, err)
			}
			fmt.Fprintf(out, "%s\n", line)
		}
	}
	return nil
}
