package reservation

// ReleaseReservation gives the key back. A key that nobody holds changes
// nothing.
type ReleaseReservation struct {
	Holder string `json:"holder"`
}

// Decide implements [domain.Command].
func (c ReleaseReservation) Decide(r Reservation, _ Meta) ([]Event, error) {
	switch {
	case r.Kind == "":
		return nil, ErrNotFound
	case r.Holder == "":
		return nil, nil
	case r.Holder != c.Holder:
		return nil, taken(r)
	}
	return []Event{ReservationReleased(c)}, nil
}

// ReservationReleased records that nobody holds the key.
type ReservationReleased struct {
	Holder string `json:"holder"`
}

// Evolve implements [domain.Event].
func (e ReservationReleased) Evolve(r *Reservation) { *r = Reservation{Kind: r.Kind} }
