// Package config reads what a person has configured in files: the settings of a
// YAML file, tokens, certificates, and the place of the data directory.
package config
