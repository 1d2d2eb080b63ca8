package tenant_test

import (
	"testing"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/tenant"
)

// What is true of the organization as a whole.
func TestWhole(t *testing.T) {
	t.Parallel()
	is := []Event{TenantRegistered{Name: "Contoso AB", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: "contoso.example"}}
	then := func(more ...Event) []Event { return append(is[:1:1], more...) }
	m := Meta{ID: "contoso", Tenant: "contoso"}
	var cases []domaintest.Case[Tenant]
	row := func(name string, given []Event, when domain.Command[Tenant], want []Event, err error) {
		cases = append(cases, domaintest.Case[Tenant]{Name: name, Given: given, When: when, Meta: m, Then: want, Err: err})
	}
	for _, v := range Variants()[1:] {
		row("S15: moves to "+string(v), is, SetCloudVariant{v}, []Event{CloudVariantSet{Old: Worldwide, New: v}}, nil)
	}
	row("S15: lives where everybody does", is, SetCloudVariant{Worldwide}, nil, nil)
	row("S15: moves back", then(CloudVariantSet{Old: Worldwide, New: China}), SetCloudVariant{Worldwide}, []Event{CloudVariantSet{Old: China, New: Worldwide}}, nil)
	row("S15: a cloud that is none", is, SetCloudVariant{"nine"}, nil, ErrVariant)
	row("S15: no cloud", is, SetCloudVariant{}, nil, ErrVariant)
	row("S15: the cloud of nobody", nil, SetCloudVariant{China}, nil, ErrNotFound)

	row("S11: a partner keeps the people", is, SetManagingPartner{"fabrikam"}, []Event{ManagingPartnerSet{New: "fabrikam"}}, nil)
	row("S11: the partner does already", then(ManagingPartnerSet{New: "fabrikam"}), SetManagingPartner{"fabrikam"}, nil, nil)
	row("S11: another partner does", then(ManagingPartnerSet{New: "fabrikam"}), SetManagingPartner{"litware"}, []Event{ManagingPartnerSet{Old: "fabrikam", New: "litware"}}, nil)
	row("S11: nobody does any more", then(ManagingPartnerSet{New: "fabrikam"}), SetManagingPartner{}, []Event{ManagingPartnerSet{Old: "fabrikam"}}, nil)
	row("S11: nobody does anyway", is, SetManagingPartner{}, nil, nil)
	row("S11: an organization is not its own partner", is, SetManagingPartner{"contoso"}, nil, ErrOwnPartner)
	row("S11: the partner of nobody", nil, SetManagingPartner{"fabrikam"}, nil, ErrNotFound)

	row("I8: somebody may be a global admin", is, SeatGlobalAdmin{"ann"}, []Event{GlobalAdminSeated{"ann"}}, nil)
	row("I8: that is known", then(GlobalAdminSeated{"ann"}), SeatGlobalAdmin{"ann"}, nil, nil)
	row("I8: somebody without an ID", is, SeatGlobalAdmin{}, nil, ErrNobody)
	row("I8: a global admin of nobody", nil, SeatGlobalAdmin{"ann"}, nil, ErrNotFound)
	row("I8: somebody is a global admin no more", then(GlobalAdminSeated{"ann"}), UnseatGlobalAdmin{"ann"}, []Event{GlobalAdminUnseated{"ann"}}, nil)
	row("I8: somebody never was", then(GlobalAdminSeated{"ann"}), UnseatGlobalAdmin{"bo"}, nil, nil)
	row("I8: somebody is one again", then(GlobalAdminSeated{"ann"}, GlobalAdminUnseated{"ann"}), SeatGlobalAdmin{"ann"}, []Event{GlobalAdminSeated{"ann"}}, nil)
	row("I8: no global admin of nobody", nil, UnseatGlobalAdmin{"ann"}, nil, ErrNotFound)
	domaintest.Run(t, Aggregate, cases)
}

func TestGlobalAdminsAreInOrder(t *testing.T) {
	t.Parallel()
	var a Tenant
	for _, e := range []Event{GlobalAdminSeated{"ann"}, GlobalAdminSeated{"bo"}, GlobalAdminSeated{"cleo"}, GlobalAdminUnseated{"ann"}, GlobalAdminSeated{"ann"}} {
		e.Evolve(&a)
	}
	if len(a.GlobalAdmins) != 3 || a.GlobalAdmins[0] != "bo" || a.GlobalAdmins[2] != "ann" {
		t.Errorf("global admins = %v, want bo, cleo, ann", a.GlobalAdmins)
	}
}

func TestCountryRefusalNamesTheWayOut(t *testing.T) {
	t.Parallel()
	if ErrCountryImmutable.Instead != "RegisterTenant" || len(ErrCountryImmutable.InsteadBy) == 0 {
		t.Errorf("%+v, want who may register another organization", ErrCountryImmutable)
	}
}
