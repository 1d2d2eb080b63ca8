package typed_test

import (
	"errors"
	"reflect"
	"testing"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/relay/typed"
)

type box struct{}

type opened struct {
	By string `json:"by"`
}

type openedBefore struct {
	Who string `json:"who"`
}

type closed struct{}

func (opened) Evolve(*box) {}
func (closed) Evolve(*box) {}

var contracts = envelope.Index([]domain.Contract{domain.NewAggregate("box", "boxes",
	domain.Records[opened]("Opened.v2", domain.Was("Opened", func(o openedBefore) opened { return opened{By: o.Who} })),
	domain.Records[closed]("Closed"),
)})

func TestBatch(t *testing.T) {
	t.Parallel()
	only := func(t reflect.Type) bool { return t == reflect.TypeFor[opened]() }
	tests := []struct {
		name, stream, typ, data, meta string
		want                          any // the decoded data
		typeOf                        reflect.Type
		foreign                       bool
		err                           error
	}{
		{name: "wanted", stream: "box-1", typ: "Opened.v2", data: `{"by":"a"}`, want: opened{"a"}, typeOf: reflect.TypeFor[opened]()},
		{name: "earlier name", stream: "box-1", typ: "Opened", data: `{"who":"b"}`, want: opened{"b"}, typeOf: reflect.TypeFor[opened]()},
		{name: "earlier name again", stream: "box-2", typ: "Opened", data: `{"who":"c"}`, want: opened{"c"}, typeOf: reflect.TypeFor[opened]()},
		{name: "not wanted, so never decoded", stream: "box-1", typ: "Closed", data: `broken`, typeOf: reflect.TypeFor[closed]()},
		{name: "unknown type", stream: "box-1", typ: "Burnt", data: `{}`, err: domain.ErrUnknownType},
		{name: "broken data", stream: "box-1", typ: "Opened.v2", data: `[]`, typeOf: reflect.TypeFor[opened](), err: typed.ErrBroken},
		{name: "broken metadata", stream: "box-1", typ: "Opened.v2", data: `{}`, meta: `{`, typeOf: reflect.TypeFor[opened](), err: typed.ErrBroken},
		{name: "unknown category", stream: "jar-1", typ: "Opened", foreign: true},
		{name: "system event", stream: "box-1", typ: "$metadata", foreign: true},
	}
	records := make([]eventstore.Recorded, len(tests))
	for i, test := range tests {
		records[i] = eventstore.Recorded{
			Event:  eventstore.Event{Type: test.typ, Data: []byte(test.data), Meta: []byte(test.meta)},
			Stream: test.stream, Revision: eventstore.Revision(i),
		}
	}
	got := typed.NewDecoder(contracts, nil, only).Batch(records)
	for i, test := range tests {
		e := got[i]
		if e.Decoded.Data != test.want || e.Type != test.typeOf || e.Foreign != test.foreign || !errors.Is(e.Err, test.err) || (e.Err == nil) != (test.err == nil) {
			t.Errorf("%s: got %+v, want data %v, type %v, foreign %v, error %v", test.name, e, test.want, test.typeOf, test.foreign, test.err)
		}
		if e.Record != &records[i] {
			t.Errorf("%s: another record", test.name)
		}
	}
}
