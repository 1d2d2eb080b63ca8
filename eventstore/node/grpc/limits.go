package grpc

import (
	"strings"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// A gRPC server has one limit for what it receives, and it is that of the
// Streams service. What follows enforces the smaller one of the others.

func isStreams(method string) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	return service == streams.Streams_ServiceDesc.ServiceName
}

func withinLimit(method string, request any) error {
	m, ok := request.(proto.Message)
	if !ok || isStreams(method) {
		return nil
	}
	if n := proto.Size(m); n > maxOtherMessage {
		return &failure{code: codes.ResourceExhausted, text: "the message is larger than 4 MiB"}
	}
	return nil
}

type limitedStream struct {
	rpc.ServerStream
	method string
}

// RecvMsg receives a message of the other services' size.
func (s limitedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return withinLimit(s.method, m)
}
