package privacy

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Seal returns data, a JSON document, with its open personal values sealed to
// c. Data without any is returned as it is. New subjects get a key, which is on
// disk before Seal returns.
//
// A value that is sealed already and carries where it came from (see
// [Annotate]) is sealed anew to c, if it is of the same tenant. Erased values
// stay. A subject whose keys are destroyed is an [ErrErased]. It blocks on the
// key file for subjects that were not used lately.
func (k *Keys) Seal(ctx context.Context, c Context, data []byte) ([]byte, error) {
	out, err := replace(data, func(dst []byte, f *found) ([]byte, error) {
		switch f.kind {
		case kindPersonal:
			if !f.alone {
				return nil, fmt.Errorf("%w: members next to $personal", ErrMalformed)
			}
			p, err := parsePersonal(f.inner)
			if err != nil {
				return nil, err
			}
			return k.sealValue(ctx, dst, c, p, f.path)
		case kindSealed:
			return k.carry(ctx, dst, c, f)
		default:
			return append(dst, f.whole...), nil
		}
	})
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", c.Type, c.Stream, err)
	}
	return out, nil
}

func (k *Keys) sealValue(ctx context.Context, dst []byte, c Context, p personal, path string) ([]byte, error) {
	if inner, err := scan(p.Value); err != nil || len(inner) > 0 {
		return nil, fmt.Errorf("%w: a personal value inside a personal value", ErrMalformed)
	}
	d, err := k.current(ctx, c.Tenant, p.Subject)
	if err != nil {
		return nil, err
	}
	if d.erased {
		return nil, fmt.Errorf("subject %q: %w", p.Subject, ErrErased)
	}
	return d.seal(dst, c, p.Subject, path, p.Value)
}

// carry seals a value of another event anew, for this one.
func (k *Keys) carry(ctx context.Context, dst []byte, c Context, f *found) ([]byte, error) {
	e, err := f.envelope()
	if err != nil {
		return nil, err
	}
	if e.in == nil || e.in.Tenant != c.Tenant {
		return nil, fmt.Errorf("%w: sealed elsewhere, for this tenant or not is not known", ErrForged)
	}
	d, err := k.resolve(ctx, e.in.context(), e)
	switch {
	case err != nil:
		return nil, err
	case d.erased:
		return appendErased(dst, e.subject)
	}
	value, _, err := d.open(e.in.context(), e)
	if err != nil {
		return nil, err
	}
	return k.sealValue(ctx, dst, c, personal{e.subject, value}, f.path)
}

// Open returns data with its sealed values opened, as {"$personal": …}, or as
// {"$erased": {"subject"}} if the subject's keys are destroyed. Data without
// any is returned as it is. An envelope that was changed, or was sealed to
// another context or path, is an [ErrForged]; where [Annotate] says that it came
// from does not count. It blocks on the key file for subjects that were not
// used lately.
func (k *Keys) Open(ctx context.Context, c Context, data []byte) ([]byte, error) {
	out, err := k.open(ctx, data, func(f *found, e envelope) (Context, error) {
		if e.path != f.path {
			return Context{}, ErrForged
		}
		return c, nil
	})
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", c.Type, c.Stream, err)
	}
	return out, nil
}

// OpenAbout is Open for the values about one subject alone; others' stay sealed.
func (k *Keys) OpenAbout(ctx context.Context, c Context, data []byte, subject string) ([]byte, error) {
	out, err := k.open(ctx, data, func(f *found, e envelope) (Context, error) {
		switch {
		case e.subject != subject:
			return Context{}, errLeave
		case e.path != f.path:
			return Context{}, ErrForged
		}
		return c, nil
	})
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", c.Type, c.Stream, err)
	}
	return out, nil
}

// errLeave says that a value is to stay sealed.
var errLeave = errors.New("leave it sealed")

// OpenStored is Open for a document that holds annotated values of any events,
// such as an account's state or a row of a read model. An envelope that is not
// annotated is an [ErrMalformed]. It cannot notice that a value stands in the
// wrong row; the read model is trusted with that.
func (k *Keys) OpenStored(ctx context.Context, data []byte) ([]byte, error) {
	out, err := k.open(ctx, data, func(_ *found, e envelope) (Context, error) {
		if e.in == nil {
			return Context{}, fmt.Errorf("%w: not annotated", ErrMalformed)
		}
		return e.in.context(), nil
	})
	if err != nil {
		return nil, fmt.Errorf("open stored: %w", err)
	}
	return out, nil
}

func (k *Keys) open(ctx context.Context, data []byte, place func(*found, envelope) (Context, error)) ([]byte, error) {
	return replace(data, func(dst []byte, f *found) ([]byte, error) {
		if f.kind != kindSealed {
			return append(dst, f.whole...), nil
		}
		e, err := f.envelope()
		if err != nil {
			return nil, err
		}
		c, err := place(f, e)
		switch {
		case errors.Is(err, errLeave):
			return append(dst, f.whole...), nil
		case err != nil:
			return nil, err
		}
		d, err := k.resolve(ctx, c, e)
		switch {
		case err != nil:
			return nil, err
		case d.erased:
			return appendErased(dst, e.subject)
		}
		value, _, err := d.open(c, e)
		if err != nil {
			return nil, err
		}
		return appendPersonal(dst, e.subject, value)
	})
}

// Annotate returns data, the stored form of the event that c says, with each
// sealed value carrying c, so that it can be stored by itself and opened later
// by OpenStored. Data that cannot be read is returned as it is.
func Annotate(data []byte, c Context) []byte {
	return rewrite(data, func(dst []byte, f *found) ([]byte, error) {
		if f.kind != kindSealed {
			return append(dst, f.whole...), nil
		}
		e, err := f.envelope()
		if err != nil {
			return nil, err
		}
		if e.in != nil {
			return append(dst, f.whole...), nil
		}
		closing := bytes.LastIndexByte(f.inner, '}')
		dst = append(dst, `{"$sealed":`...)
		dst = append(dst, f.inner[:closing]...)
		dst = append(dst, `,"in":{`...)
		for i, m := range []struct{ name, value string }{
			{`"stream":`, c.Stream}, {`,"id":`, c.EventID}, {`,"type":`, c.Type}, {`,"tenant":`, c.Tenant},
		} {
			dst = append(dst, m.name...)
			if dst, err = jsontext.AppendQuote(dst, m.value); err != nil {
				return nil, fmt.Errorf("%w: field %d of the context", ErrMalformed, i)
			}
		}
		return append(dst, `}}}`...), nil
	})
}

// Redact returns data for readers who may not see personal values: sealed and
// open ones become {"$sealed": true, "subject": …, "label": label}. An empty
// label is left out.
func Redact(data []byte, label string) []byte {
	return rewrite(data, func(dst []byte, f *found) ([]byte, error) {
		if f.kind == kindErased {
			return append(dst, f.whole...), nil
		}
		dst = append(dst, `{"$sealed":true`...)
		var err error
		for _, m := range []struct{ name, value string }{{`,"subject":`, f.subject()}, {`,"label":`, label}} {
			if m.value == "" {
				continue
			}
			dst = append(dst, m.name...)
			if dst, err = jsontext.AppendQuote(dst, m.value); err != nil {
				return nil, fmt.Errorf("%w: subject or label", ErrMalformed)
			}
		}
		return append(dst, '}'), nil
	})
}

// Plain returns data for people: an open value is just its value, a sealed one
// "[sealed]", an erased one "[erased]".
func Plain(data []byte) []byte {
	return rewrite(data, func(dst []byte, f *found) ([]byte, error) {
		switch f.kind {
		case kindErased:
			return append(dst, `"[erased]"`...), nil
		case kindSealed:
			return append(dst, `"[sealed]"`...), nil
		default:
			p, err := parsePersonal(f.inner)
			return append(dst, p.Value...), err
		}
	})
}

// Committed is Plain with what a sealed value was committed to in its place, as
// {"$commitment": …}: whoever is shown the value later can tell that it is the
// one (see [Disclosure]).
func Committed(data []byte) []byte {
	return rewrite(data, func(dst []byte, f *found) ([]byte, error) {
		switch f.kind {
		case kindErased:
			return append(dst, `"[erased]"`...), nil
		case kindSealed:
			e, err := f.envelope()
			if err != nil {
				return nil, err
			}
			dst = append(dst, `{"$commitment":"`...)
			dst = append(dst, e.commitment...)
			return append(dst, `"}`...), nil
		default:
			p, err := parsePersonal(f.inner)
			return append(dst, p.Value...), err
		}
	})
}

func appendPersonal(dst []byte, subject string, value []byte) ([]byte, error) {
	dst, err := jsontext.AppendQuote(append(dst, `{"$personal":{"subject":`...), subject)
	if err != nil {
		return nil, fmt.Errorf("%w: subject is not UTF-8", ErrMalformed)
	}
	dst = append(dst, `,"value":`...)
	dst = append(dst, value...)
	return append(dst, `}}`...), nil
}

func appendErased(dst []byte, subject string) ([]byte, error) {
	dst, err := jsontext.AppendQuote(append(dst, `{"$erased":{"subject":`...), subject)
	if err != nil {
		return nil, fmt.Errorf("%w: subject is not UTF-8", ErrMalformed)
	}
	return append(dst, `}}`...), nil
}

// replace returns data with what it holds of personal values replaced by what
// with appends for each.
func replace(data []byte, with func(dst []byte, f *found) ([]byte, error)) ([]byte, error) {
	if !mayHold(data) {
		return data, nil
	}
	all, err := scan(data)
	if err != nil || len(all) == 0 {
		return data, err
	}
	out := make([]byte, 0, len(data)+len(all)*sealedSize)
	end := 0
	for i := range all {
		f := &all[i]
		out = append(out, data[end:f.start]...)
		if out, err = with(out, f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		end = f.end
	}
	return append(out, data[end:]...), nil
}

// sealedSize is how much longer a name gets by sealing.
const sealedSize = 320

// rewrite is replace for what cannot fail: data that cannot be read is returned
// as it is.
func rewrite(data []byte, with func(dst []byte, f *found) ([]byte, error)) []byte {
	out, err := replace(data, with)
	if err != nil {
		return data
	}
	return out
}
