package postal

import (
	"konto/domain"
)

// maxText is the most letters of a field.
const maxText = 200

// Rejections.
var (
	ErrAddress = domain.Invalid("address-invalid", "the address is not one of its country").ByRule("A1")
	ErrConfirm = domain.Invalid("address-needs-confirmation",
		"there is a better spelling of the address; send that, or confirm that it is meant as it is").ByRule("A2")
)

// Keep decides whether a may be kept. Pointer is the JSON pointer of the
// address in the command; confirmed says that the caller means a as it is,
// although there may be a better spelling. The refusals, one for each field
// that is wrong, name the corrections that the library knows.
func (a Address) Keep(m domain.Meta, pointer string, confirmed bool) (Checked, []*domain.Error) {
	if errs := a.unreadable(pointer); errs != nil {
		return Checked{}, errs
	}
	v := verdict(m, a)
	corrections := v.corrections(a)
	var errs []*domain.Error
	for _, f := range Fields() {
		for _, p := range v.Problems {
			if p.Field == f {
				errs = append(errs, refuse(pointer, p, corrections))
				break // one reason for each field is enough
			}
		}
	}
	switch {
	case errs != nil:
		return Checked{}, errs
	case corrections != nil && !confirmed:
		return Checked{}, []*domain.Error{ErrConfirm.At(pointer).With("suggestions", corrections)}
	}
	return Checked{Grade: v.Grade, DataVersion: v.DataVersion, Confirmed: corrections != nil}, nil
}

// unreadable refuses what no table needs to be asked for.
func (a Address) unreadable(pointer string) []*domain.Error {
	var errs []*domain.Error
	for _, f := range Fields() {
		if s := a.Get(f); !domain.Line(s, maxText) {
			errs = append(errs, refuse(pointer, Problem{f, Unreadable}, nil))
		}
	}
	return errs
}

func refuse(pointer string, p Problem, corrections []Correction) *domain.Error {
	e := *ErrAddress
	e.Detail = string(p.Field) + ": " + p.Fault.says()
	err := e.At(p.Field.Pointer(pointer)).With("fault", p.Fault)
	if corrections != nil {
		err = err.With("suggestions", corrections)
	}
	return err
}
