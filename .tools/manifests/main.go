// Command manifests checks the files of containers: a compose file as docker
// compose loads it, against its schema; manifests of Kubernetes against its types,
// where an unknown field, a label that no selector matches, a volume or a port that does
// not exist, and a container that may become root are errors; a Dockerfile as a build
// parses it.
//
//	go run . compose.yaml kubernetes.yaml Dockerfile
//
// It is a module of its own, since the types of Kubernetes are larger than Switchyard.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/loader"
	compose "github.com/compose-spec/compose-go/v2/types"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: manifests COMPOSE-FILE KUBERNETES-FILE DOCKERFILE")
		os.Exit(2)
	}
	if err := errors.Join(checkCompose(os.Args[1]), checkKubernetes(os.Args[2]), checkDockerfile(os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// checkCompose loads the file with and without the variables that it requires.
func checkCompose(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	load := func(environment compose.Mapping) (*compose.Project, error) {
		return loader.LoadWithContext(context.Background(), compose.ConfigDetails{
			WorkingDir:  filepath.Dir(path),
			ConfigFiles: []compose.ConfigFile{{Filename: path, Content: content}},
			Environment: environment,
		})
	}
	if _, err := load(compose.Mapping{}); err == nil {
		return fmt.Errorf("%s: it loads without its secrets", path)
	}
	project, err := load(compose.Mapping{"REGISTRATION_TOKEN": "r", "ADMIN_TOKEN": "a", "NATS_PASSWORD": "n"})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				return fmt.Errorf("%s: service %s: port %s is open beyond this machine", path, name, port.Published)
			}
		}
	}
	fmt.Printf("%s: %d services\n", path, len(project.Services))
	return nil
}

// checkKubernetes decodes each document strictly and checks what refers to what.
func checkKubernetes(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var service core.Service
	var server apps.StatefulSet
	var agent apps.Deployment
	documents := bytes.Split(content, []byte("\n---\n"))
	into := []any{&service, &server, &agent}
	if len(documents) != len(into) {
		return fmt.Errorf("%s: %d documents, want %d", path, len(documents), len(into))
	}
	for i, document := range documents {
		if err := yaml.UnmarshalStrict(document, into[i]); err != nil {
			return fmt.Errorf("%s: document %d: %w", path, i+1, err)
		}
	}
	var all []error
	for i, got := range []string{
		service.APIVersion + " " + service.Kind, server.APIVersion + " " + server.Kind, agent.APIVersion + " " + agent.Kind,
	} {
		if want := []string{"v1 Service", "apps/v1 StatefulSet", "apps/v1 Deployment"}[i]; got != want {
			all = append(all, fmt.Errorf("document %d is %q, want %q", i+1, got, want))
		}
	}
	if server.Spec.ServiceName != service.Name {
		all = append(all, fmt.Errorf("the server names the service %q", server.Spec.ServiceName))
	}
	matches := func(what string, selector, labels map[string]string) {
		for name, value := range selector {
			if labels[name] != value {
				all = append(all, fmt.Errorf("%s: no label %s: %s", what, name, value))
			}
		}
	}
	matches("service", service.Spec.Selector, server.Spec.Template.Labels)
	matches("server", server.Spec.Selector.MatchLabels, server.Spec.Template.Labels)
	matches("agent", agent.Spec.Selector.MatchLabels, agent.Spec.Template.Labels)
	claims := map[string]bool{}
	for _, claim := range server.Spec.VolumeClaimTemplates {
		claims[claim.Name] = true
	}
	all = append(all, checkPod("server", server.Spec.Template.Spec, claims)...)
	all = append(all, checkPod("agent", agent.Spec.Template.Spec, nil)...)
	for _, port := range service.Spec.Ports {
		if !hasPort(server.Spec.Template.Spec.Containers[0], port.TargetPort.StrVal) {
			all = append(all, fmt.Errorf("service: no port %q of the server", port.TargetPort.StrVal))
		}
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Printf("%s: %d documents\n", path, len(documents))
	return nil
}

// checkPod checks the mounts, the probes and the rights of a pod's container.
func checkPod(what string, pod core.PodSpec, volumes map[string]bool) (all []error) {
	known := map[string]bool{}
	for name := range volumes {
		known[name] = true
	}
	for _, volume := range pod.Volumes {
		known[volume.Name] = true
	}
	if len(pod.Containers) != 1 {
		return []error{fmt.Errorf("%s: %d containers", what, len(pod.Containers))}
	}
	c := pod.Containers[0]
	for _, mount := range c.VolumeMounts {
		if !known[mount.Name] {
			all = append(all, fmt.Errorf("%s: no volume %q", what, mount.Name))
		}
	}
	for _, probe := range []*core.Probe{c.LivenessProbe, c.ReadinessProbe} {
		if probe != nil && probe.HTTPGet != nil && !hasPort(c, probe.HTTPGet.Port.StrVal) {
			all = append(all, fmt.Errorf("%s: no port %q for a probe", what, probe.HTTPGet.Port.StrVal))
		}
	}
	if c.LivenessProbe == nil {
		all = append(all, fmt.Errorf("%s: no liveness probe", what))
	}
	if p, s := pod.SecurityContext, c.SecurityContext; p == nil || s == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot ||
		s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		all = append(all, fmt.Errorf("%s: it may become root, or write to its root directory", what))
	}
	if pod.TerminationGracePeriodSeconds == nil || pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
		all = append(all, fmt.Errorf("%s: no time to stop, or the variables of services", what))
	}
	return all
}

func hasPort(c core.Container, name string) bool {
	for _, port := range c.Ports {
		if port.Name == name {
			return true
		}
	}
	return false
}
