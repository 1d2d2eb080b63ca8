package reservation_test

import (
	"regexp"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/reservation"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func at(after time.Duration) Meta { return Meta{ID: "key", At: start.Add(after)} }

func TestReservation(t *testing.T) {
	t.Parallel()
	const (
		a = "card-a"
		b = "card-b"
	)
	reserved := Reserved{Kind: "card-token", Holder: a, Tenant: "t", Until: start.Add(Hold)}
	var (
		pending   = []Event{reserved}
		confirmed = []Event{reserved, ReservationConfirmed{Holder: a}}
		released  = []Event{reserved, ReservationConfirmed{Holder: a}, ReservationReleased{Holder: a}}
	)
	claim := func(holder string) Reserve { return Reserve{Kind: "card-token", Holder: holder, Tenant: "t"} }
	until := func(holder string, after time.Duration) []Event {
		return []Event{Reserved{Kind: "card-token", Holder: holder, Tenant: "t", Until: start.Add(after + Hold)}}
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Reservation]{
		{Name: "reserve", When: claim(a), Meta: at(0), Then: pending},
		{Name: "reserve again", Given: pending, When: claim(a), Meta: at(time.Minute)},
		{Name: "reserve again when run out", Given: pending, When: claim(a), Meta: at(Hold), Then: until(a, Hold)},
		{Name: "reserve again when confirmed", Given: confirmed, When: claim(a), Meta: at(24 * time.Hour)},
		{Name: "reserve another's", Given: pending, When: claim(b), Meta: at(Hold - time.Microsecond), Err: ErrReserved},
		{Name: "reserve another's when run out", Given: pending, When: claim(b), Meta: at(Hold), Then: until(b, Hold)},
		{Name: "reserve another's when confirmed", Given: confirmed, When: claim(b), Meta: at(1000 * Hold), Err: ErrReserved},
		{Name: "reserve what was released", Given: released, When: claim(b), Meta: at(0), Then: until(b, 0)},
		{Name: "reserve for nobody", When: claim(""), Meta: at(0), Err: ErrIncomplete},
		{Name: "reserve nothing", When: Reserve{Holder: a}, Meta: at(0), Err: ErrIncomplete},

		{Name: "confirm", Given: pending, When: ConfirmReservation{Holder: a}, Meta: at(0), Then: []Event{ReservationConfirmed{Holder: a}}},
		{Name: "confirm late", Given: pending, When: ConfirmReservation{Holder: a}, Meta: at(2 * Hold), Then: []Event{ReservationConfirmed{Holder: a}}},
		{Name: "confirm too late", Given: append(pending, until(b, Hold)...), When: ConfirmReservation{Holder: a}, Meta: at(2 * Hold), Err: ErrReserved},
		{Name: "confirm again", Given: confirmed, When: ConfirmReservation{Holder: a}, Meta: at(0)},
		{Name: "confirm another's", Given: pending, When: ConfirmReservation{Holder: b}, Meta: at(0), Err: ErrReserved},
		{Name: "confirm what was released", Given: released, When: ConfirmReservation{Holder: a}, Meta: at(0), Err: ErrNotReserved},
		{Name: "confirm nothing", When: ConfirmReservation{Holder: a}, Meta: at(0), Err: ErrNotFound},

		{Name: "release", Given: pending, When: ReleaseReservation{Holder: a}, Meta: at(0), Then: []Event{ReservationReleased{Holder: a}}},
		{Name: "release what is confirmed", Given: confirmed, When: ReleaseReservation{Holder: a}, Meta: at(0), Then: []Event{ReservationReleased{Holder: a}}},
		{Name: "release again", Given: released, When: ReleaseReservation{Holder: a}, Meta: at(0)},
		{Name: "release another's", Given: confirmed, When: ReleaseReservation{Holder: b}, Meta: at(0), Err: ErrReserved},
		{Name: "release nothing", When: ReleaseReservation{Holder: a}, Meta: at(0), Err: ErrNotFound},
	})
}

func TestRefusalNamesTheHolder(t *testing.T) {
	t.Parallel()
	s := Reservation{Kind: "card-token", Holder: "card-a", Confirmed: true}
	_, err := Reserve{Kind: "card-token", Holder: "card-b"}.Decide(s, at(0))
	if e, ok := err.(*domain.Error); !ok || e.Facts["holder"] != "card-a" { //nolint:errorlint // Decide returns it bare.
		t.Errorf("Decide = %v, want the holder among its facts", err)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	id := ID("card-token", "", "tok_1")
	if want := "31557b1f-c2ee-500f-aaf4-8a4e020d3f10"; id != want {
		t.Errorf("ID = %s, want %s: an ID is the same for ever", id, want)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("ID = %s, want a UUIDv5", id)
	}
	seen := map[string]bool{}
	for _, k := range [][3]string{
		{"card-token", "", "tok_1"}, {"card-token", "", "tok_2"}, {"card-token", "t", "tok_1"}, {"card", "-token", "tok_1"}, {"card-token", "tok_1", ""},
	} {
		seen[ID(k[0], k[1], k[2])] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d IDs for 5 keys", len(seen))
	}
}
