package envelope

import (
	"fmt"
	"reflect"

	fast "github.com/go-json-experiment/json"
	v1 "github.com/go-json-experiment/json/v1"

	"konto/domain"
)

// quick is a contract whose JSON is read by the decoder that will be
// encoding/json/v2, told to mean what encoding/json means. Replays, projections
// and reactions spend most of their time decoding, and it takes a third of
// that; package domain keeps to the standard library.
type quick struct {
	domain.Contract
	events   map[string]reflect.Type // of today's wire names; old ones are upcast by the contract
	commands map[string]reflect.Type
	lenient  fast.Options
	strict   fast.Options
}

func quicken(c domain.Contract) domain.Contract {
	q := quick{
		Contract: c, events: map[string]reflect.Type{}, commands: map[string]reflect.Type{},
		lenient: v1.DefaultOptionsV1(),
		strict:  fast.JoinOptions(v1.DefaultOptionsV1(), fast.RejectUnknownMembers(true)),
	}
	for _, e := range c.Events() {
		q.events[e.Name] = e.Type
	}
	for _, info := range c.Commands() {
		q.commands[info.Name] = info.Type
	}
	return q
}

// DecodeEvent implements [domain.Contract].
func (q quick) DecodeEvent(raw domain.Raw) (any, error) {
	t, ok := q.events[raw.Type]
	if !ok {
		return q.Contract.DecodeEvent(raw)
	}
	v := reflect.New(t)
	if err := fast.Unmarshal(raw.Data, v.Interface(), q.lenient); err != nil {
		return nil, fmt.Errorf("event %s: %w", raw.Type, err)
	}
	return v.Elem().Interface(), nil
}

// DecodeCommand implements [domain.Contract]. What is wrong with a body that
// cannot be decoded, the contract itself says.
func (q quick) DecodeCommand(raw domain.Raw) (any, error) {
	t, ok := q.commands[raw.Type]
	if !ok {
		return q.Contract.DecodeCommand(raw)
	}
	v := reflect.New(t)
	if err := fast.Unmarshal(raw.Data, v.Interface(), q.strict); err != nil {
		return q.Contract.DecodeCommand(raw)
	}
	return v.Elem().Interface(), nil
}
