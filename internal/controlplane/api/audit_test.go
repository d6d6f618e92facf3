package api

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// TestEveryChangeIsAudited goes through the calls of the service descriptors: what is
// not declared to have no side effects is recorded, so that a new call is.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	changes := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("switchyard.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				options, _ := method.Options().(*descriptorpb.MethodOptions)
				spec := connect.Spec{Procedure: "/" + string(service.FullName()) + "/" + string(method.Name())}
				reads := options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
				if reads {
					spec.IdempotencyLevel = connect.IdempotencyNoSideEffects
				} else {
					changes++
				}
				var request proto.Message = dynamicpb.NewMessage(method.Input())
				if event, recorded := eventOf(spec, request, nil); recorded == reads || event.Action != string(method.Name()) {
					t.Errorf("%s: recorded %t as %q", spec.Procedure, recorded, event.Action)
				}
			}
		}
		return true
	})
	if changes < 8 {
		t.Errorf("only %d calls that change something", changes)
	}
}
