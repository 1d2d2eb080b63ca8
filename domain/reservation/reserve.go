package reservation

import "time"

// Reserve claims the key for holder. Claiming it again does nothing, unless
// the claim has run out.
type Reserve struct {
	Kind   string `json:"kind"`
	Holder string `json:"holder"`
	Tenant string `json:"tenant,omitempty"`
}

// Decide implements [domain.Command].
func (c Reserve) Decide(r Reservation, m Meta) ([]Event, error) {
	switch {
	case c.Kind == "" || c.Holder == "":
		return nil, ErrIncomplete
	case !r.HeldAt(m.At):
		return []Event{Reserved{Kind: c.Kind, Holder: c.Holder, Tenant: c.Tenant, Until: m.At.Add(Hold)}}, nil
	case r.Holder != c.Holder:
		return nil, taken(r)
	}
	return nil, nil
}

// Reserved records that the key is claimed until a time.
type Reserved struct {
	Kind   string    `json:"kind"`
	Holder string    `json:"holder"`
	Tenant string    `json:"tenant,omitempty"`
	Until  time.Time `json:"until"`
}

// Evolve implements [domain.Event].
func (e Reserved) Evolve(r *Reservation) {
	*r = Reservation{Kind: e.Kind, Holder: e.Holder, Tenant: e.Tenant, Until: e.Until}
}
