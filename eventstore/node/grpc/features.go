package grpc

import (
	"context"
	"slices"
	"strings"

	rpc "google.golang.org/grpc"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

type featuresService struct {
	serverfeatures.UnimplementedServerFeaturesServer
	*Server
}

// GetSupportedMethods tells clients what they may call. They ask on every
// connection, before they have said who they are, so anybody may.
func (s *featuresService) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return s.features, nil
}

// recorder remembers what was registered, so that the list of methods cannot
// differ from the methods.
type recorder struct {
	rpc.ServiceRegistrar
	services []*rpc.ServiceDesc
}

// RegisterService implements [rpc.ServiceRegistrar].
func (r *recorder) RegisterService(d *rpc.ServiceDesc, implementation any) {
	r.services = append(r.services, d)
	r.ServiceRegistrar.RegisterService(d, implementation)
}

func (r *recorder) supported(version string) *serverfeatures.SupportedMethods {
	list := &serverfeatures.SupportedMethods{EventStoreServerVersion: version}
	add := func(service, method string) {
		service, method = strings.ToLower(service), strings.ToLower(method)
		list.Methods = append(list.Methods, &serverfeatures.SupportedMethod{
			ServiceName: service, MethodName: method, Features: features(service, method),
		})
	}
	for _, d := range r.services {
		for _, m := range d.Methods {
			add(d.ServiceName, m.MethodName)
		}
		for _, m := range d.Streams {
			add(d.ServiceName, m.StreamName)
		}
	}
	slices.SortFunc(list.Methods, func(a, b *serverfeatures.SupportedMethod) int {
		return strings.Compare(a.ServiceName+"/"+a.MethodName, b.ServiceName+"/"+b.MethodName)
	})
	return list
}

// features are what clients look for in a method before they use it.
func features(service, method string) []string {
	switch service {
	case "event_store.client.persistent_subscriptions.persistentsubscriptions":
		return []string{"stream", "all"}
	case "event_store.client.streams.streams":
		switch method {
		case "read":
			return []string{"position", "events"}
		case "batchappend":
			return []string{"deadline_duration"}
		}
	}
	return nil
}
