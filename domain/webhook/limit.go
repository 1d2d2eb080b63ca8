package webhook

import (
	"errors"
	"strconv"

	"konto/domain"
)

// LimitPolicy says how many endpoints an organization may have. Each of them is
// called for every event that it wants to hear of, so they cost what happens
// times their number. The first version is what GitHub allows for a repository
// and an event.
var LimitPolicy = domain.Policy[LimitTerms]{
	Name:  "webhook-limits",
	First: LimitTerms{Endpoints: 20},
}

// LimitTerms are the limits of endpoints.
type LimitTerms struct {
	Endpoints int `json:"endpoints"` // of an organization, disabled ones included: 1 to 100
}

// Validate says that the limit is out of its range.
func (t LimitTerms) Validate() error {
	if t.Endpoints < 1 || t.Endpoints > 100 {
		return errors.New("endpoints must be 1 to 100")
	}
	return nil
}

// Places is the kind of reservation that an endpoint holds until it is removed:
// one of as many places as its organization has. So two that are registered at
// the same moment cannot both be the last.
const Places = "webhook-endpoint"

// Reserves implements [domain.Reserver]. A lower limit ends no endpoint; places
// above it are not given again.
func (RegisterWebhookEndpoint) Reserves(m Meta) []domain.Reservation {
	if !m.Facts.Has(LimitPolicy.Need()) {
		return nil
	}
	most := LimitPolicy.In(m).Endpoints
	r := domain.Reservation{
		Kind: Places, Scope: m.Tenant, Key: "1",
		Taken: func(string) *domain.Error { return ErrTooMany.With("limit", most) },
	}
	for n := 2; n <= most; n++ {
		r.Else = append(r.Else, strconv.Itoa(n))
	}
	return []domain.Reservation{r}
}
