package cli

import (
	"os"

	"github.com/spf13/cobra"
)

// PlaceOf returns where the environment or the YAML file of cmd sets a key, as errors name
// it, or nothing where neither does. The key may be one of other commands.
func PlaceOf(cmd *cobra.Command, key string) (string, error) {
	if name := EnvName(key); os.Getenv(name) != "" {
		return name, nil
	}
	file, err := readFile(cmd)
	if err != nil {
		return "", err
	}
	if texts, place := file.Lookup(key); texts != nil {
		return place, nil
	}
	return "", nil
}
