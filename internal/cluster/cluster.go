package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/freeport"
)

// Config is what to start.
type Config struct {
	// Dir is the directory of the cluster, which must exist.
	Dir string
	// Program and NATSProgram are the programs switchyard and nats-server: see Build.
	Program, NATSProgram string
	// Servers and Replicas are how many there are; 0 is three.
	Servers, Replicas int
	// RegistrationToken and AdminToken are those of every replica.
	RegistrationToken, AdminToken string
	// Args are more arguments of each replica.
	Args []string
	// Lead returns the addresses of the NATS servers for one replica, instead of the
	// given ones, HOST:PORT each. Nil does not change them.
	Lead func(replica int, servers []string) []string
}

// Cluster is a NATS cluster and the replicas of a control plane on it.
type Cluster struct {
	// NATS and Replicas are the processes. The name of a NATS server is that of its
	// process.
	NATS, Replicas []*Process
	// NATSAddresses and ReplicaAddresses are where they listen, HOST:PORT.
	NATSAddresses, ReplicaAddresses []string

	config Config
}

const (
	defaultSize = 3
	// readyPoll is the time between two probes of a process that starts.
	readyPoll = 50 * time.Millisecond
	// probeTimeout bounds one probe.
	probeTimeout = 2 * time.Second
	clusterName  = "switchyard"
)

// New prepares a cluster without starting a process.
func New(ctx context.Context, config Config) (*Cluster, error) {
	if config.Servers == 0 {
		config.Servers = defaultSize
	}
	if config.Replicas == 0 {
		config.Replicas = defaultSize
	}
	ports, err := freeport.Addresses(ctx, 2*config.Servers+config.Replicas)
	if err != nil {
		return nil, err //nolint:wrapcheck // it is complete
	}
	clients, routes, replicas := ports[:config.Servers], ports[config.Servers:2*config.Servers], ports[2*config.Servers:]
	c := &Cluster{config: config, NATSAddresses: clients, ReplicaAddresses: replicas}
	urls := make([]string, len(routes))
	for i, address := range routes {
		urls[i] = "nats://" + address
	}
	for i, address := range clients {
		if err := c.addNATS(i, address, routes[i], strings.Join(urls, ",")); err != nil {
			return nil, err
		}
	}
	for i, address := range replicas {
		if err := c.addReplica(i, address); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Cluster) addNATS(i int, address, route, routes string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	name := fmt.Sprint("nats", i+1)
	p, err := newProcess(c.config.Dir, name, c.config.NATSProgram, os.Environ(),
		"--server_name", name, "--addr", host, "--port", port, "--jetstream", "--store_dir", filepath.Join(c.config.Dir, name, "data"),
		"--cluster_name", clusterName, "--cluster", "nats://"+route, "--routes", routes, "--no_advertise")
	c.NATS = append(c.NATS, p)
	return err
}

func (c *Cluster) addReplica(i int, address string) error {
	servers := c.NATSAddresses
	if c.config.Lead != nil {
		servers = c.config.Lead(i, servers)
	}
	name := fmt.Sprint("replica", i+1)
	p, err := newProcess(c.config.Dir, name, c.config.Program, append(os.Environ(),
		"SWITCHYARD_SERVER_REGISTRATION_TOKEN="+c.config.RegistrationToken, "SWITCHYARD_SERVER_ADMIN_TOKEN="+c.config.AdminToken),
		append([]string{
			"server", "start", "--listen", address, "--data-dir", filepath.Join(c.config.Dir, name, "data"),
			"--nats-url", "nats://" + strings.Join(servers, ",nats://"),
		}, c.config.Args...)...)
	c.Replicas = append(c.Replicas, p)
	return err
}

// Start starts every process, and waits until each replica is ready.
func (c *Cluster) Start(ctx context.Context) error {
	for _, p := range slices.Concat(c.NATS, c.Replicas) {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for i := range c.Replicas {
		if err := c.Ready(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// URL returns the URL of a replica.
func (c *Cluster) URL(replica int) string { return "http://" + c.ReplicaAddresses[replica] }

// errEnded is why a process that has ended does not become ready.
var errEnded = errors.New("the process has ended")

// Ready waits until a replica is ready.
func (c *Cluster) Ready(ctx context.Context, replica int) error {
	p := c.Replicas[replica]
	for {
		err := c.Probe(ctx, replica)
		if err == nil {
			return nil
		}
		if !p.Running() {
			return fmt.Errorf("waiting for %s: %w: %s", p.Name, errEnded, p.LogTail(probeTail))
		}
		timer := time.NewTimer(readyPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for %s: %w: %w", p.Name, context.Cause(ctx), err)
		}
	}
}

// probeTail bounds what an error quotes of a log, in bytes.
const probeTail = 500

// errNotReady is the error of a replica that says that it is not ready.
var errNotReady = errors.New("not ready")

// Probe returns nil if a replica is ready.
func (c *Cluster) Probe(ctx context.Context, replica int) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(replica)+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("probing %s: %w", c.Replicas[replica].Name, err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("probing %s: %w", c.Replicas[replica].Name, err)
	}
	_ = response.Body.Close() // it was not read
	if response.StatusCode != http.StatusOK {
		return errNotReady
	}
	return nil
}

// Stop asks the replicas to end, then the NATS servers, and kills what is left when ctx
// ends.
func (c *Cluster) Stop(ctx context.Context) error {
	var err error
	for _, p := range slices.Concat(c.Replicas, c.NATS) {
		err = errors.Join(err, p.Stop(ctx))
	}
	c.Kill()
	return err
}

// Kill ends every process at once.
func (c *Cluster) Kill() {
	for _, p := range slices.Concat(c.Replicas, c.NATS) {
		p.Kill()
	}
}
