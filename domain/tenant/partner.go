package tenant

// SetManagingPartner records the partner in whose console the organization's
// people are kept. While there is one, their names and addresses are changed
// there and refused here.
type SetManagingPartner struct {
	PartnerID string `json:"partnerId"` // a tenant's ID; empty: nobody's console
}

// Decide implements [domain.Command].
func (c SetManagingPartner) Decide(t Tenant, m Meta) ([]Event, error) {
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case c.PartnerID == m.ID:
		return nil, ErrOwnPartner
	case t.ManagedBy == c.PartnerID:
		return nil, nil
	}
	return []Event{ManagingPartnerSet{Old: t.ManagedBy, New: c.PartnerID}}, nil
}

// ManagingPartnerSet records in whose console the people are kept.
type ManagingPartnerSet struct {
	Old string `json:"old,omitzero"` // a tenant's ID; empty: nobody's
	New string `json:"new,omitzero"` // the same
}

// Evolve implements [domain.Event].
func (e ManagingPartnerSet) Evolve(t *Tenant) { t.ManagedBy = e.New }
