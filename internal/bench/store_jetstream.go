package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"konto/eventstore"
)

func (s *storeBench) jetStreamContender() contender {
	return contender{
		kind: StoreJetStream, what: "JetStream, in process, SyncAlways: a sync for each message",
		append: func(ctx context.Context, dir string, _ int) (*side, error) {
			return s.jetStreamSide(ctx, dir, true, nil)
		},
		// Reads do not sync, and filling would take a minute if it did.
		read: func(ctx context.Context, dir string) (*side, error) {
			return s.jetStreamSide(ctx, dir, false, s.jetStreamFill)
		},
	}
}

const jetStreamLimit = 10 * time.Second

// jetStreamSide starts a server and makes a stream with a subject for each
// stream of events.
func (s *storeBench) jetStreamSide(ctx context.Context, dir string, sync bool, fill func(context.Context, jetstream.JetStream) error) (_ *side, err error) {
	ns, err := server.NewServer(&server.Options{
		ServerName: "bench", DontListen: true, NoSigs: true, NoLog: true, NoSystemAccount: true,
		JetStream: true, StoreDir: dir, SyncAlways: sync, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, err
	}
	ns.Start()
	stop := func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
	if !ns.ReadyForConnections(jetStreamLimit) {
		stop()
		return nil, errors.New("the server does not come up")
	}
	conn, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		stop()
		return nil, err
	}
	stopAll := func() error {
		conn.Close()
		stop()
		return nil
	}
	js, err := jetstream.New(conn)
	var stream jetstream.Stream
	if err == nil {
		stream, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "BENCH", Subjects: []string{"bench.>"}, Storage: jetstream.FileStorage})
	}
	if err == nil && fill != nil {
		err = fill(ctx, js)
	}
	if err != nil {
		return nil, errors.Join(err, stopAll())
	}
	return &side{
		loop: func(w int) loop { return s.jetStreamLoop(js, w) },
		all: func(ctx context.Context) (int, error) {
			return jetStreamRead(ctx, stream, "bench.>", s.Long+s.Short*shortStream)
		},
		stream: func(ctx context.Context) (int, error) { return jetStreamRead(ctx, stream, "bench.long", s.Long) },
		short: func(ctx context.Context, n int) (int, error) {
			return jetStreamRead(ctx, stream, "bench."+short(n), shortStream)
		},
		close: stopAll,
	}, nil
}

// jetStreamLoop publishes with the sequence that the subject's last message
// must have: JetStream's way to expect a revision.
func (s *storeBench) jetStreamLoop(js jetstream.JetStream, writer int) loop {
	last := map[string]uint64{}
	return s.turns(writer, func(ctx context.Context, stream string, _ int, e *eventstore.Event) error {
		m := jetStreamMsg(stream, e)
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(last[stream], 10))
		ack, err := js.PublishMsg(ctx, m)
		if err != nil {
			return err
		}
		last[stream] = ack.Sequence
		return nil
	})
}

func jetStreamMsg(stream string, e *eventstore.Event) *nats.Msg {
	m := nats.NewMsg("bench." + stream)
	m.Data = e.Data
	m.Header.Set("Id", fmt.Sprintf("%x", e.ID))
	m.Header.Set("Type", e.Type)
	m.Header.Set("Meta", string(e.Meta))
	return m
}

func (s *storeBench) jetStreamFill(ctx context.Context, js jetstream.JetStream) error {
	put := func(stream string, e eventstore.Event) error {
		_, err := js.PublishMsgAsync(jetStreamMsg(stream, &e))
		return err
	}
	for n := range s.Long {
		if err := put("long", event(uint64(n))); err != nil {
			return err
		}
	}
	for n := range s.Short * shortStream {
		if err := put(short(n%s.Short), event(uint64(n%s.Short+1)<<40+uint64(n/s.Short))); err != nil { //nolint:gosec // small
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jetStreamRead reads n messages of a subject with an ordered consumer.
func jetStreamRead(ctx context.Context, stream jetstream.Stream, subject string, n int) (int, error) {
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}})
	if err != nil {
		return 0, err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(min(4096, max(n, 2))))
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	for i := range n {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return i, err
		}
		_ = m.Data()
	}
	return n, nil
}
