package reservation

import "time"

// ConfirmReservation keeps the key for holder for good. A claim that has run
// out can still be confirmed while nobody else has taken the key.
type ConfirmReservation struct {
	Holder string `json:"holder"`
}

// Decide implements [domain.Command].
func (c ConfirmReservation) Decide(r Reservation, _ Meta) ([]Event, error) {
	switch {
	case r.Kind == "":
		return nil, ErrNotFound
	case r.Holder == "":
		return nil, ErrNotReserved
	case r.Holder != c.Holder:
		return nil, taken(r)
	case r.Confirmed:
		return nil, nil
	}
	return []Event{ReservationConfirmed(c)}, nil
}

// ReservationConfirmed records that the key is held for good.
type ReservationConfirmed struct {
	Holder string `json:"holder"`
}

// Evolve implements [domain.Event].
func (e ReservationConfirmed) Evolve(r *Reservation) { r.Confirmed, r.Until = true, time.Time{} }
