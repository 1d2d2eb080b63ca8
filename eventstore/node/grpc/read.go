package grpc

import (
	"context"
	"errors"
	"math"

	rpc "google.golang.org/grpc"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
)

// query is a read or a subscription that makes sense.
type query struct {
	stream    string // "" is $all
	direction eventstore.Direction
	resolve   bool
	count     uint64 // of a read
	subscribe bool
	wanted    wanted
	text      bool // UUIDs as texts
	// compatibility is what the client knows: 1 is a client that understands
	// where a stream begins and ends.
	compatibility uint32
	from          place
}

// place is where a query starts.
type place struct {
	start, end bool // if neither, what follows
	revision   eventstore.Revision
	position   eventstore.Position
}

// Read implements the service.
func (s *streamsService) Read(request *streams.ReadReq, out streams.Streams_ReadServer) error {
	q, err := parseQuery(request.GetOptions())
	if err != nil {
		return err
	}
	ctx := out.Context()
	if err := s.allow(ctx, q.operation(), q.name()); err != nil {
		return fail(err, q.name())
	}
	w := &reader{server: s.Server, query: q, out: out}
	defer w.encoder.free()
	switch {
	case q.subscribe:
		return w.subscribe(ctx)
	case q.stream == "":
		return w.readAll(ctx)
	default:
		return w.readStream(ctx)
	}
}

func (q *query) name() string {
	if q.stream == "" {
		return allStream
	}
	return q.stream
}

func (q *query) operation() access.Operation {
	if q.stream == "" {
		return access.ReadAll
	}
	return access.ReadStream
}

// parseQuery checks a request. What EventStoreDB leaves to chance (and answers
// with Unknown) is left as it is.
func parseQuery(o *streams.ReadReq_Options) (*query, error) {
	if o == nil {
		return nil, unhandled("no options")
	}
	q := &query{resolve: o.GetResolveLinks(), compatibility: o.GetControlOption().GetCompatibility()}
	if o.GetUuidOption() == nil {
		return nil, invalidArgument("the UUID option is missing")
	}
	_, q.text = o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)

	switch o.GetReadDirection() {
	case streams.ReadReq_Options_Forwards:
	case streams.ReadReq_Options_Backwards:
		q.direction = eventstore.Backward
	default:
		return nil, invalidArgument("unknown direction %d", o.GetReadDirection())
	}
	switch count := o.GetCountOption().(type) {
	case *streams.ReadReq_Options_Count:
		q.count = count.Count
	case *streams.ReadReq_Options_Subscription:
		q.subscribe = true
	default:
		return nil, invalidArgument("neither a count nor a subscription")
	}
	var err error
	switch f := o.GetFilterOption().(type) {
	case *streams.ReadReq_Options_NoFilter:
	case *streams.ReadReq_Options_Filter:
		q.wanted, err = parseFilter(f.Filter, q.subscribe)
	default:
		return nil, invalidArgument("neither a filter nor none")
	}
	if err == nil {
		err = q.parseSource(o)
	}
	if err != nil {
		return nil, err
	}
	return q, q.validate()
}

func (q *query) validate() error {
	switch {
	case q.subscribe && q.direction == eventstore.Backward:
		return invalidArgument("a subscription cannot go backwards")
	case q.stream != "" && q.wanted.Filter != nil:
		return invalidArgument("a stream cannot be filtered, only $all")
	case !q.subscribe && q.count == 0:
		return unhandled("a count of 0")
	case !q.subscribe && q.stream != "" && q.from.end && q.direction == eventstore.Forward:
		return unhandled("a stream read forwards from its end")
	}
	return nil
}

func (q *query) parseSource(o *streams.ReadReq_Options) error {
	switch from := o.GetStreamOption().(type) {
	case *streams.ReadReq_Options_Stream:
		name, err := streamName(from.Stream.GetStreamIdentifier())
		if err != nil {
			return err
		}
		if name == "" {
			return unhandled("a stream without a name")
		}
		q.stream = name
		return q.parseRevision(from.Stream)
	case *streams.ReadReq_Options_All:
		return q.parsePosition(from.All)
	}
	return invalidArgument("neither a stream nor $all")
}

func (q *query) parseRevision(o *streams.ReadReq_Options_StreamOptions) (err error) {
	switch r := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Start:
		q.from.start = true
	case *streams.ReadReq_Options_StreamOptions_End:
		q.from.end = true
	case *streams.ReadReq_Options_StreamOptions_Revision:
		q.from.revision, err = revision(r.Revision, eventstore.Last)
		q.from.end = r.Revision == math.MaxUint64
	default:
		return invalidArgument("no revision to read from")
	}
	return err
}

func (q *query) parsePosition(o *streams.ReadReq_Options_AllOptions) error {
	switch p := o.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Start:
		q.from.start = true
	case *streams.ReadReq_Options_AllOptions_End:
		q.from.end = true
	case *streams.ReadReq_Options_AllOptions_Position:
		q.from.position = eventstore.Position{Commit: p.Position.GetCommitPosition(), Prepare: p.Position.GetPreparePosition()}
		q.from.start = q.from.position == eventstore.Position{} // no event is there
		q.from.end = q.from.position == eventstore.End
	default:
		return invalidArgument("no position to read from")
	}
	return nil
}

// boundary returns an error unless an event is at the position a query starts
// from, or could be in future.
func (w *reader) boundary(ctx context.Context) error {
	q := w.query
	wrong := unhandled
	if q.subscribe {
		wrong = invalidArgument
	}
	p := q.from.position
	switch {
	case q.from.start, q.from.end:
		return nil
	case p.Commit < p.Prepare:
		return wrong("the commit position %d is before the prepare position %d", p.Commit, p.Prepare)
	case p.Compare(w.server.config.Store.Head()) > 0:
		return nil
	}
	ok, err := w.server.config.Store.IsBoundary(ctx, p)
	if err != nil {
		return fail(err, allStream)
	}
	if !ok {
		return wrong("no event begins at the position %s", p)
	}
	return nil
}

// reader answers one query.
type reader struct {
	server  *Server
	query   *query
	out     rpc.ServerStream
	encoder encoder
	frame   frame
	linked  links
}

// links remembers whether the caller may read the stream that links led to last.
type links struct {
	stream string
	ok     bool
	known  bool
}

// event sends r. What a link leads to is only sent to who may read it: else
// everybody who may write to any stream could read all.
func (w *reader) event(ctx context.Context, r *eventstore.Recorded) error {
	target := true
	if r.Link != nil {
		target = r.ID != eventstore.ID{} && w.mayFollow(ctx, r.Stream)
	}
	w.frame.message = w.encoder.event(r, target, w.query.text)
	return w.out.SendMsg(&w.frame) //nolint:wrapcheck // it is the call's status
}

func (w *reader) mayFollow(ctx context.Context, stream string) bool {
	if !w.linked.known || w.linked.stream != stream {
		w.linked = links{stream, w.server.allow(ctx, access.ReadStream, stream) == nil, true}
	}
	return w.linked.ok
}

func (w *reader) readStream(ctx context.Context) error {
	q := w.query
	o := eventstore.ReadStream{From: q.from.revision, Direction: q.direction, Limit: limit(q.count), ResolveLinks: q.resolve}
	if q.from.end {
		o.From = eventstore.Last
	}
	none := true
	for r, err := range w.server.config.Store.Read(ctx, q.stream, o) {
		switch {
		case errors.Is(err, eventstore.ErrStreamNotFound):
			return w.nothing(ctx)
		case err != nil:
			return fail(err, q.stream)
		}
		if err := w.event(ctx, &r); err != nil {
			return err
		}
		none = false
	}
	return w.ends(ctx, none)
}

// limit is a count for the store, which takes 0 for no limit.
func limit(count uint64) int {
	if count > math.MaxInt {
		return 0
	}
	return int(count)
}

// nothing answers a read of a stream in which nothing is to be seen: a stream
// whose events have expired is still there.
func (w *reader) nothing(ctx context.Context) error {
	info, err := w.server.config.Store.Stream(ctx, w.query.stream)
	if err != nil {
		return fail(err, w.query.stream)
	}
	if info.Last != eventstore.NoStream && !info.Deleted {
		return w.ends(ctx, true)
	}
	return w.send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{StreamNotFound: &streams.ReadResp_StreamNotFound{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(w.query.stream)},
	}}})
}

// ends tells clients that understand it where the stream begins and ends.
func (w *reader) ends(ctx context.Context, none bool) error {
	q := w.query
	if q.compatibility < 1 {
		return nil
	}
	info, err := w.server.config.Store.Stream(ctx, q.stream)
	if err != nil {
		return fail(err, q.stream)
	}
	if none && q.direction == eventstore.Forward {
		first := info.First
		if first == eventstore.NoStream {
			first = info.Last + 1
		}
		if first != q.from.revision {
			if err := w.send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: uint64(first)}}); err != nil { //nolint:gosec // not negative
				return err
			}
		}
	}
	if info.Last == eventstore.NoStream {
		return nil
	}
	return w.send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: uint64(info.Last)}}) //nolint:gosec // not negative
}

func (w *reader) send(m *streams.ReadResp) error {
	return w.out.SendMsg(m) //nolint:wrapcheck // it is the call's status
}

// readAll reads until it has sent as many events as were asked for: those that
// are hidden or do not match do not count.
func (w *reader) readAll(ctx context.Context) error {
	if err := w.boundary(ctx); err != nil {
		return err
	}
	q, left := w.query, w.query.count
	o := eventstore.ReadAll{From: q.from.inclusive(q.direction), Direction: q.direction, ResolveLinks: q.resolve}
	for more := true; more && left > 0; {
		if q.wanted.Filter == nil {
			o.Limit = limit(left)
		}
		read := 0
		for r, err := range w.server.config.Store.ReadAll(ctx, o) {
			if err != nil {
				return fail(err, allStream)
			}
			raw := original(&r)
			o.From = raw.Position
			read++
			if !q.wanted.wants(raw) {
				continue
			}
			if err := w.event(ctx, &r); err != nil {
				return err
			}
			if left--; left == 0 {
				break
			}
		}
		more = o.Limit > 0 && read == o.Limit
	}
	return nil
}

// inclusive is where the port must start, whose forward reads begin after a position.
func (p place) inclusive(d eventstore.Direction) eventstore.Position {
	switch {
	case p.start:
		return eventstore.Position{}
	case p.end:
		return eventstore.End
	case d == eventstore.Forward && p.position.Prepare > 0:
		return eventstore.Position{Commit: p.position.Commit, Prepare: p.position.Prepare - 1}
	}
	return p.position
}

// original is the record that is in the log: the link, if there is one.
func original(r *eventstore.Recorded) *eventstore.Recorded {
	if r.Link != nil {
		return r.Link
	}
	return r
}
