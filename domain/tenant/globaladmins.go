package tenant

import "slices"

// SeatGlobalAdmin notes that an account may be a global admin's. One that is
// noted already changes nothing.
type SeatGlobalAdmin struct {
	AdminID string `json:"adminId"`
}

// Decide implements [domain.Command].
func (c SeatGlobalAdmin) Decide(t Tenant, _ Meta) ([]Event, error) {
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case c.AdminID == "":
		return nil, ErrNobody
	case slices.Contains(t.GlobalAdmins, c.AdminID):
		return nil, nil
	}
	return []Event{GlobalAdminSeated(c)}, nil
}

// GlobalAdminSeated records that an account may be a global admin's.
type GlobalAdminSeated struct {
	AdminID string `json:"adminId"`
}

// Evolve implements [domain.Event].
func (e GlobalAdminSeated) Evolve(t *Tenant) {
	t.GlobalAdmins = append(slices.Clip(t.GlobalAdmins), e.AdminID)
}

// UnseatGlobalAdmin notes that an account is no global admin's. One that was
// not noted changes nothing.
type UnseatGlobalAdmin struct {
	AdminID string `json:"adminId"`
}

// Decide implements [domain.Command].
func (c UnseatGlobalAdmin) Decide(t Tenant, _ Meta) ([]Event, error) {
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case !slices.Contains(t.GlobalAdmins, c.AdminID):
		return nil, nil
	}
	return []Event{GlobalAdminUnseated(c)}, nil
}

// GlobalAdminUnseated records that an account is no global admin's.
type GlobalAdminUnseated struct {
	AdminID string `json:"adminId"`
}

// Evolve implements [domain.Event].
func (e GlobalAdminUnseated) Evolve(t *Tenant) {
	t.GlobalAdmins = slices.DeleteFunc(slices.Clone(t.GlobalAdmins), func(id string) bool { return id == e.AdminID })
}
