package node_test

import (
	"testing"

	"github.com/google/uuid"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore/node"
	"konto/eventstore/node/proto"
)

func TestOperations(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true})
	ops := proto.NewOperationsClient(dial(t, n))
	ctx := as(t, "ops", "changeit")
	for name, call := range map[string]func() error{
		"MergeIndexes": func() error { _, err := ops.MergeIndexes(ctx, &shared.Empty{}); return err },
		"ResignNode":   func() error { _, err := ops.ResignNode(ctx, &shared.Empty{}); return err },
		"SetNodePriority": func() error {
			_, err := ops.SetNodePriority(ctx, &proto.SetNodePriorityReq{Priority: 5})
			return err
		},
		"RestartPersistentSubscriptions": func() error {
			_, err := ops.RestartPersistentSubscriptions(ctx, &shared.Empty{})
			return err
		},
	} {
		if err := call(); err != nil {
			t.Errorf("%s = %v, want nil", name, err)
		}
	}
	started, err := ops.StartScavenge(ctx, &proto.StartScavengeReq{Options: &proto.StartScavengeReq_Options{ThreadCount: 1}})
	if err != nil || started.GetScavengeResult() != proto.ScavengeResp_Started {
		t.Fatalf("StartScavenge() = %v, %v, want Started", started, err)
	}
	if _, err := uuid.Parse(started.GetScavengeId()); err != nil {
		t.Errorf("the scavenge is called %q, want a UUID", started.GetScavengeId())
	}
	stopped, err := ops.StopScavenge(ctx, &proto.StopScavengeReq{Options: &proto.StopScavengeReq_Options{ScavengeId: started.GetScavengeId()}})
	if code := endOf(err, nil).code; code != codes.NotFound && stopped.GetScavengeResult() != proto.ScavengeResp_Stopped {
		t.Errorf("StopScavenge() = %v, %v, want Stopped, or NotFound as it is done", stopped, err)
	}
	var trailer metadata.MD
	_, err = ops.StopScavenge(ctx, &proto.StopScavengeReq{Options: &proto.StopScavengeReq_Options{ScavengeId: "other"}}, rpc.Trailer(&trailer))
	if got, want := endOf(err, trailer), (failed{codes.NotFound, "scavenge-not-found", "other"}); got != want {
		t.Errorf("StopScavenge(other) ends with %v, want %v", got, want)
	}
	for name, call := range map[string]func() error{
		"Shutdown":      func() error { _, err := ops.Shutdown(as(t, "", ""), &shared.Empty{}); return err },
		"StartScavenge": func() error { _, err := ops.StartScavenge(as(t, "", ""), &proto.StartScavengeReq{}); return err },
		"StopScavenge":  func() error { _, err := ops.StopScavenge(as(t, "", ""), &proto.StopScavengeReq{}); return err },
	} {
		if got := endOf(call(), nil).code; got != codes.PermissionDenied {
			t.Errorf("%s by nobody ends with %v, want PermissionDenied", name, got)
		}
	}
	select {
	case <-n.ShutDown():
		t.Fatal("the node was told to shut down, want not yet")
	default:
	}
	for range 2 {
		if _, err := ops.Shutdown(ctx, &shared.Empty{}); err != nil {
			t.Fatalf("Shutdown() = %v, want nil", err)
		}
	}
	<-n.ShutDown()
}

func TestMonitoring(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, Insecure: true})
	stream, err := proto.NewMonitoringClient(dial(t, n)).Stats(as(t, "", ""), &proto.StatsReq{RefreshTimePeriodInMs: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // it goes on
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"proc-id", "proc-mem", "proc-gc-liveHeapSize", "es-writer-position", "es-writer-events"} {
			if v := r.GetStats()[name]; v == "" || v == "0" {
				t.Errorf("statistics have %s = %q, want a number", name, v)
			}
		}
	}
}
