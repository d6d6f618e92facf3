package controlplane

import (
	"strings"
	"testing"
	"time"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		change  func(*Config)
		message string // empty: no error
	}{
		{"defaults", func(*Config) {}, ""},
		{"any free port", func(c *Config) { c.Listen = "127.0.0.1:0" }, ""},
		{"every network, IPv4", func(c *Config) { c.Listen = "0.0.0.0:7420" }, ""},
		{"every network, IPv6", func(c *Config) { c.Listen = "[::]:7420" }, ""},
		{"no host", func(c *Config) { c.Listen = ":7420" }, "has no host"},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, "is not host:port"},
		{"bad port", func(c *Config) { c.Listen = "127.0.0.1:http" }, "number from 0 to 65535"},
		{"port too large", func(c *Config) { c.Listen = "127.0.0.1:65536" }, "number from 0 to 65535"},
		{"certificate alone", func(c *Config) { c.TLSCertFile = "cert.pem" }, "needed together"},
		{"key alone", func(c *Config) { c.TLSKeyFile = "key.pem" }, "needed together"},
		{"NATS", func(c *Config) { c.NATSURL = "nats://127.0.0.1:4222" }, ""},
		{"two NATS servers", func(c *Config) { c.NATSURL = "nats://a:4222, nats://b:4222" }, ""},
		{"not NATS in second place", func(c *Config) { c.NATSURL = "nats://a:4222,user:secret@%" }, "NATS URL must look like"},
		{"NATS with TLS", func(c *Config) { c.NATSURL = "tls://a:4222" }, ""},
		{"not NATS but HTTP", func(c *Config) { c.NATSURL = "http://a:4222" }, "NATS URL must look like"},
		{"not NATS", func(c *Config) { c.NATSURL = "user:secret@%" }, "NATS URL must look like"},
		{"weak registration token", func(c *Config) { c.RegistrationToken = "secret" }, "registration token: "},
		{"weak admin token", func(c *Config) { c.AdminToken = "secret" }, "admin token: "},
		{"ping interval below a second", func(c *Config) { c.PingInterval = time.Millisecond }, "ping interval is 1ms"},
		{"ping interval not whole seconds", func(c *Config) { c.PingInterval = 1500 * time.Millisecond }, "ping interval is 1.5s"},
		{"heartbeat interval", func(c *Config) { c.HeartbeatInterval = -time.Second }, "heartbeat interval is -1s"},
		{"job status interval", func(c *Config) { c.JobStatusInterval = 25 * time.Hour }, "job status interval is 25h"},
		{"assign timeout", func(c *Config) { c.AssignTimeout = -1 }, "assign timeout"},
		{"lease below heartbeat", func(c *Config) { c.LeaseTimeout = c.HeartbeatInterval }, "longer than the heartbeat interval"},
		{"keep-alive", func(c *Config) { c.KeepAlive = -1 }, "keep-alive"},
		{"retention", func(c *Config) { c.Retention = time.Second }, "retention is 1s"},
		{"log retention", func(c *Config) { c.LogRetention = 11 * 365 * 24 * time.Hour }, "log retention is 96360h"},
		{"worker retention", func(c *Config) { c.WorkerRetention = -1 }, "worker retention is -1ns"},
		{"log kept longer than its job", func(c *Config) { c.LogRetention = c.Retention + 1 }, "(--log-retention) is 168h0m0.000000001s: it must not be longer than the retention of jobs (--retention), 168h0m0s"},
		{"log kept as long as its job", func(c *Config) { c.LogRetention = c.Retention }, ""},
		{"store size", func(c *Config) { c.MaxStore = 1 << 20 }, "maximum store size (--max-store) is 1 MiB: it must be at least 16 MiB"},
		{"log as large as the store", func(c *Config) { c.MaxStore, c.MaxLog = 16<<20, 16<<20 }, "(--max-log) is 16 MiB: it must be less than the maximum store size (--max-store), 16 MiB"},
		{"log smaller than the store", func(c *Config) { c.MaxStore, c.MaxLog = 16<<20, 15<<20 }, ""},
		{"default log in a small store", func(c *Config) { *c = Config{DataDir: c.DataDir, MaxStore: 16 << 20}.WithDefaults() }, ""},
		{"log size", func(c *Config) { c.MaxLog = 1 << 10 }, "maximum log size is 1024 bytes"},
		{"stream age", func(c *Config) { c.StreamMaxAge = -1 }, "stream maximum age"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := Config{DataDir: t.TempDir()}.WithDefaults()
			row.change(&c)
			err := c.Validate()
			switch {
			case row.message == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.message != "" && (err == nil || !strings.Contains(err.Error(), row.message)):
				t.Errorf("error %v does not contain %q", err, row.message)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("error %v contains a secret", err)
			}
		})
	}
}

func TestConfigValidateNamesEveryField(t *testing.T) {
	t.Parallel()
	err := Config{DataDir: t.TempDir(), Listen: "nowhere", KeepAlive: -1}.WithDefaults().Validate()
	for _, want := range []string{"listen address", "keep-alive"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not contain %s", err, want)
		}
	}
}
