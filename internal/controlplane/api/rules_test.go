package api

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/profiles"
)

// TestEveryProcedureHasARule compares the table with the service descriptors, both
// ways, and checks each rule.
func TestEveryProcedureHasARule(t *testing.T) {
	t.Parallel()
	procedures := map[string]bool{MetricsPath: true}
	for _, path := range profiles.Paths() {
		procedures[path] = true
		for _, scope := range access.Scopes() {
			if allowed := rules[path].allows(scope); allowed != (scope == access.Operate) {
				t.Errorf("%s is allowed to %s: %v", path, scope, allowed)
			}
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				if file.Package() == "switchyard.v1" {
					procedures["/"+string(service.FullName())+"/"+string(service.Methods().Get(j).Name())] = true
				}
			}
		}
		return true
	})
	for procedure := range procedures {
		rule, ok := rules[procedure]
		if !ok {
			t.Errorf("%s has no rule", procedure)
			continue
		}
		if rule.maxBytes <= 0 {
			t.Errorf("the request of %s is not bounded", procedure)
		}
		if !rule.allows(access.Operate) {
			t.Errorf("%s is not allowed to %s, which may do everything", procedure, access.Operate)
		}
		if rule.allows(access.Register) || rule.allows("") {
			t.Errorf("%s is allowed to agents, or to nobody in particular", procedure)
		}
	}
	for procedure := range rules {
		if !procedures[procedure] {
			t.Errorf("%s has a rule, but does not exist", procedure)
		}
	}
}
