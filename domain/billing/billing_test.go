package billing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	. "konto/domain/billing"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

const (
	id     = "01936c2e-0000-7000-8000-0000000000c1"
	tenant = "01936c2e-0000-7000-8000-0000000000aa"
	ann    = "01936c2e-0000-7000-8000-0000000000a1"
	bob    = "01936c2e-0000-7000-8000-0000000000b2"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// meta is what a decision knows: cards of ann's and bob's, and bad ones.
func meta(actor string, backups ...string) Meta {
	cards := map[string]Card{
		"ann-1":    {Exists: true, Tenant: tenant, Owner: ann, Expiry: now.AddDate(1, 0, 0)},
		"ann-2":    {Exists: true, Tenant: tenant, Owner: ann, Expiry: now.AddDate(0, 0, 1)},
		"bob-1":    {Exists: true, Tenant: tenant, Owner: bob, Expiry: now.AddDate(2, 0, 0)},
		"bob-2":    {Exists: true, Tenant: tenant, Owner: bob, Expiry: now.AddDate(2, 0, 0)},
		"expired":  {Exists: true, Tenant: tenant, Owner: ann, Expiry: now},
		"removed":  {Exists: true, Tenant: tenant, Owner: ann, Expiry: now.AddDate(1, 0, 0), Removed: true},
		"abroad":   {Exists: true, Tenant: "theirs", Owner: ann, Expiry: now.AddDate(1, 0, 0)},
		"blocked":  {Exists: true, Tenant: tenant, Owner: ann, Expiry: now.AddDate(1, 0, 0), Blocked: true},
		"blind":    {Exists: true, Tenant: tenant, Owner: ann},
		"said-no":  {Exists: true, Tenant: tenant, Owner: ann, Expired: true},
		"no-card":  {},
		"no-card2": {},
	}
	facts := UsePolicy.Known(CancelPolicy.Known(domain.Facts{})).
		Knows(domain.Of[Backups](id), Backups{Cards: backups}).
		Knows(domain.Of[Organization](tenant), Organization{})
	for key, card := range cards {
		facts = facts.Knows(domain.Of[Card](key), card)
	}
	return Meta{ID: id, Tenant: tenant, At: now, Actor: domain.Actor{ID: actor, Kind: domain.KindPerson, Tenant: tenant}, Facts: facts}
}

// profile is what a decision of ann's knows when the roles of the billing
// profile count.
func profile(roles ...domain.Role) Meta {
	m := meta(ann)
	m.Actor.Roles = roles
	m.Facts = UsePolicy.Known(m.Facts, domain.Version[UseTerms]{Number: 2, Rules: UseTerms{UsersProfileRoles}})
	return m
}

func events(e ...Event) []Event { return e }

var registered = SubscriptionRegistered{Product: "Suite", BoughtBy: ann, CardID: "ann-1", At: now}

func TestRegisterSubscription(t *testing.T) {
	t.Parallel()
	when := RegisterSubscription{Product: "Suite", CardID: "ann-1"}
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "register", When: when, Meta: meta(ann), Then: events(registered)},
		{Name: "again", Given: events(registered), When: when, Meta: meta(ann)},
		{Name: "other product", Given: events(registered), When: RegisterSubscription{Product: "Other", CardID: "ann-1"}, Meta: meta(ann), Err: ErrExists},
		{Name: "other buyer", Given: events(registered), When: RegisterSubscription{Product: "Suite", CardID: "bob-1"}, Meta: meta(bob), Err: ErrExists},
		{Name: "no product", When: RegisterSubscription{Product: " ", CardID: "ann-1"}, Meta: meta(ann), Err: ErrProduct},
		{Name: "endless product", When: RegisterSubscription{Product: strings.Repeat("x", 201), CardID: "ann-1"}, Meta: meta(ann), Err: ErrProduct},
		{Name: "C4: another's card", When: RegisterSubscription{Product: "Suite", CardID: "bob-1"}, Meta: meta(ann), Err: ErrNotOwner},
		{Name: "no card", When: RegisterSubscription{Product: "Suite", CardID: "no-card"}, Meta: meta(ann), Err: ErrCardNotFound},
		{Name: "another tenant's card", When: RegisterSubscription{Product: "Suite", CardID: "abroad"}, Meta: meta(ann), Err: ErrCardNotFound},
		{Name: "removed card", When: RegisterSubscription{Product: "Suite", CardID: "removed"}, Meta: meta(ann), Err: ErrCardRemoved},
		{Name: "K3: expired card", When: RegisterSubscription{Product: "Suite", CardID: "expired"}, Meta: meta(ann), Err: ErrCardExpired},
		{Name: "C7: blocked card", When: RegisterSubscription{Product: "Suite", CardID: "blocked"}, Meta: meta(ann), Err: ErrCardBlocked},
		{Name: "K5: expired card, says the gateway", When: RegisterSubscription{Product: "Suite", CardID: "said-no"}, Meta: meta(ann), Err: ErrCardExpired},
		{
			Name: "K5: card whose expiry is not kept", When: RegisterSubscription{Product: "Suite", CardID: "blind"}, Meta: meta(ann),
			Then: events(SubscriptionRegistered{Product: "Suite", BoughtBy: ann, CardID: "blind", At: now}),
		},
		{
			Name: "C11: with licences", When: RegisterSubscription{"Suite", "ann-1", 25}, Meta: meta(ann),
			Then: events(SubscriptionRegistered{"Suite", ann, "ann-1", now, 25}),
		},
		{Name: "C11: with fewer licences than none", When: RegisterSubscription{"Suite", "ann-1", -1}, Meta: meta(ann), Err: ErrLicences},
		{
			Name: "C4: the profile's owner uses another's card", When: RegisterSubscription{Product: "Suite", CardID: "bob-1"}, Meta: profile(domain.ProfileOwner),
			Then: events(SubscriptionRegistered{Product: "Suite", BoughtBy: ann, CardID: "bob-1", At: now}),
		},
		{Name: "C4: a global admin does not, even then", When: RegisterSubscription{Product: "Suite", CardID: "bob-1"}, Meta: profile(domain.GlobalAdmin), Err: ErrNotOwner},
	})
}

func TestAddBackupCard(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C5: own card on another's subscription", Given: events(registered), When: AddBackupCard{"bob-1"}, Meta: meta(bob), Then: events(BackupCardAdded{"bob-1", 1, bob})},
		{
			Name: "C5: second", Given: events(registered, BackupCardAdded{"bob-1", 4, bob}), When: AddBackupCard{"ann-2"}, Meta: meta(ann),
			Then: events(BackupCardAdded{"ann-2", 5, ann}),
		},
		{Name: "again", Given: events(registered, BackupCardAdded{"bob-1", 1, bob}), When: AddBackupCard{"bob-1"}, Meta: meta(bob)},
		{Name: "the primary card", Given: events(registered), When: AddBackupCard{"ann-1"}, Meta: meta(ann), Err: ErrOnSubscription},
		{Name: "C4: another's card", Given: events(registered), When: AddBackupCard{"bob-1"}, Meta: meta(ann), Err: ErrNotOwner},
		{Name: "another tenant's card", Given: events(registered), When: AddBackupCard{"abroad"}, Meta: meta(ann), Err: ErrCardNotFound},
		{Name: "no card", Given: events(registered), When: AddBackupCard{"no-card"}, Meta: meta(ann), Err: ErrCardNotFound},
		{Name: "removed card", Given: events(registered), When: AddBackupCard{"removed"}, Meta: meta(ann), Err: ErrCardRemoved},
		{Name: "K3: expired card", Given: events(registered), When: AddBackupCard{"expired"}, Meta: meta(ann), Err: ErrCardExpired},
		{Name: "no subscription", When: AddBackupCard{"bob-1"}, Meta: meta(bob), Err: ErrNotFound},
	})
}

func TestApplyCardReplacement(t *testing.T) {
	t.Parallel()
	two := events(registered, BackupCardAdded{"bob-1", 1, bob}, BackupCardAdded{"ann-2", 2, ann})
	apply := func(old, new string) ApplyCardReplacement { return ApplyCardReplacement{old, new, "requested"} }
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C6: primary", Given: two, When: apply("ann-1", "bob-2"), Meta: meta("konto"), Then: events(PrimaryCardChanged{"ann-1", "bob-2", "requested"})},
		{Name: "C6: backup", Given: two, When: apply("bob-1", "bob-2"), Meta: meta("konto"), Then: events(BackupCardChanged{"bob-1", "bob-2", "requested"})},
		{Name: "again", Given: slices.Concat(two, events(PrimaryCardChanged{"ann-1", "bob-2", "requested"})), When: apply("ann-1", "bob-2")},
		{Name: "neither", Given: two, When: apply("bob-2", "bob-1")},
		{Name: "by itself", Given: two, When: apply("ann-1", "ann-1")},
		{Name: "by no card", Given: two, When: apply("ann-1", "no-card"), Meta: meta("konto"), Err: ErrCardNotFound},
		{Name: "by another tenant's", Given: two, When: apply("ann-1", "abroad"), Meta: meta("konto"), Err: ErrCardNotFound},
		{Name: "by one removed meanwhile", Given: two, When: apply("ann-1", "removed"), Meta: meta("konto"), Err: ErrCardRemoved},
		{Name: "K3: by an expired one", Given: two, When: apply("bob-1", "expired"), Meta: meta("konto"), Err: ErrCardExpired},
		{Name: "no subscription", When: apply("ann-1", "bob-2"), Err: ErrNotFound},
	})
}

func TestPromoteBackupCard(t *testing.T) {
	t.Parallel()
	when := PromoteBackupCard{"hard-revoked", "ann-1"}
	backups := func(cards ...string) []Event {
		e := events(registered)
		for i, card := range cards {
			e = append(e, BackupCardAdded{card, i + 1, bob})
		}
		return e
	}
	promoted := func(card string) []Event { return events(CardPromotedToPrimary{card, "ann-1", "hard-revoked"}) }
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "first", Given: backups("bob-1", "bob-2"), When: when, Meta: meta("konto", "bob-1", "bob-2"), Then: promoted("bob-1")},
		{Name: "C5: order stands", Given: backups("bob-2", "bob-1"), When: when, Meta: meta("konto", "bob-2", "bob-1"), Then: promoted("bob-2")},
		{Name: "K3: expired is passed over", Given: backups("expired", "bob-2"), When: when, Meta: meta("konto", "expired", "bob-2"), Then: promoted("bob-2")},
		{Name: "C7: blocked is passed over", Given: backups("blocked", "bob-2"), When: when, Meta: meta("konto", "blocked", "bob-2"), Then: promoted("bob-2")},
		{Name: "K5: one whose expiry is not kept steps in", Given: backups("blind", "bob-2"), When: when, Meta: meta("konto", "blind", "bob-2"), Then: promoted("blind")},
		{Name: "removed is passed over", Given: backups("removed", "bob-2"), When: when, Meta: meta("konto", "removed", "bob-2"), Then: promoted("bob-2")},
		{Name: "none can be used", Given: backups("expired", "removed"), When: when, Meta: meta("konto", "expired", "removed")},
		{Name: "no backup", Given: backups(), When: when, Meta: meta("konto")},
		{Name: "another card failed", Given: backups("bob-1"), When: PromoteBackupCard{"funds", "bob-1"}, Meta: meta("konto", "bob-1")},
		{Name: "again", Given: append(backups("bob-1", "bob-2"), promoted("bob-1")...), When: when, Meta: meta("konto", "bob-2")},
		{
			Name: "the next one fails too", Given: append(backups("bob-1", "bob-2"), promoted("bob-1")...), Meta: meta("konto", "bob-2"),
			When: PromoteBackupCard{"funds", "bob-1"}, Then: events(CardPromotedToPrimary{"bob-2", "bob-1", "funds"}),
		},
		{Name: "no subscription", When: when, Meta: meta("konto"), Err: ErrNotFound},
	})
}

// A command gets no facts but those that it declares.
func TestNeeds(t *testing.T) {
	t.Parallel()
	card := domain.Of[Card]("new")
	s := Subscription{Product: "Suite", Primary: "old"}
	for _, test := range []struct {
		when  domain.Command[Subscription]
		state Subscription
		want  []domain.Need
	}{
		{RegisterSubscription{Product: "Suite", CardID: "new"}, Subscription{}, []domain.Need{card, UsePolicy.Need()}},
		{AddBackupCard{"new"}, s, []domain.Need{card, UsePolicy.Need()}},
		{ApplyCardReplacement{"old", "new", "requested"}, s, []domain.Need{card}},
		{CancelSubscription{Reason: "enough"}, s, []domain.Need{CancelPolicy.Need(), domain.Of[Organization](tenant)}},
		{ChangeServiceUsageAddress{Address: road}, s, []domain.Need{road.Need()}},
		{ChangeBillToAddress{Name: "Ann", Address: road}, Subscription{Product: "Suite", Invoiced: true}, []domain.Need{road.Need()}},
	} {
		m := meta(ann)
		m.Facts = domain.Facts{}
		if got := test.when.(domain.Needer).Needs(m); !slices.Equal(got, test.want) {
			t.Errorf("%T.Needs = %v, want %v", test.when, got, test.want)
		}
		for _, n := range test.want {
			switch n {
			case card:
				m.Facts = m.Facts.Knows(n, Card{Exists: true, Tenant: tenant, Owner: ann, Expiry: now.AddDate(1, 0, 0)})
			case UsePolicy.Need():
				m.Facts = UsePolicy.Known(m.Facts)
			case CancelPolicy.Need():
				m.Facts = CancelPolicy.Known(m.Facts)
			case road.Need():
				m.Facts = m.Facts.Knows(n, postal.Verdict{Grade: postal.FormatOK})
			default:
				m.Facts = m.Facts.Knows(n, Organization{})
			}
		}
		if got, err := test.when.Decide(test.state, m); err != nil || len(got) == 0 {
			t.Errorf("%T.Decide with what it needs = %v, %v, want events", test.when, got, err)
		}
	}
}

// Which cards matter is known only after the subscription was read; one that
// comes between is left alone.
func TestPromoteNeeds(t *testing.T) {
	t.Parallel()
	c := PromoteBackupCard{"funds", "ann-1"}
	m := Meta{ID: id, Tenant: tenant, At: now}
	if got, want := c.Needs(m), []domain.Need{domain.Of[Backups](id)}; !slices.Equal(got, want) {
		t.Errorf("Needs = %v, want %v", got, want)
	}
	s := Subscription{Product: "Suite", Primary: "ann-1", Backups: []Backup{{CardID: "new"}, {CardID: "bob-1"}}}
	m.Facts = m.Facts.Knows(domain.Of[Backups](id), BackupsOf(id, Subscription{Backups: []Backup{{CardID: "bob-1"}}}))
	want := []domain.Need{domain.Of[Backups](id), domain.Of[Card]("bob-1")}
	if got := c.Needs(m); !slices.Equal(got, want) {
		t.Errorf("Needs after the backups are known = %v, want %v", got, want)
	}
	m.Facts = m.Facts.Knows(domain.Of[Card]("bob-1"), Card{Exists: true, Tenant: tenant, Expiry: now.AddDate(1, 0, 0)})
	got, err := c.Decide(s, m)
	if want := events(CardPromotedToPrimary{"bob-1", "ann-1", "funds"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("Decide = %v, %v, want %v", got, err, want)
	}
}

// No card is on a subscription twice, and copies of the state stay as they were.
func TestFold(t *testing.T) {
	t.Parallel()
	b := func(card string, priority int) Backup { return Backup{card, priority, bob} }
	for _, test := range []struct {
		name  string
		event Event
		want  Subscription
	}{
		{"new primary", PrimaryCardChanged{"p", "n", ""}, Subscription{Primary: "n", Backups: []Backup{b("x", 1), b("y", 2)}}},
		{"backup becomes primary", PrimaryCardChanged{"p", "y", ""}, Subscription{Primary: "y", Backups: []Backup{b("x", 1)}}},
		{"backup is promoted", CardPromotedToPrimary{"x", "p", ""}, Subscription{Primary: "x", Backups: []Backup{b("y", 2)}}},
		{"new backup in its place", BackupCardChanged{"x", "n", ""}, Subscription{Primary: "p", Backups: []Backup{b("n", 1), b("y", 2)}}},
		{"backup replaced by the other", BackupCardChanged{"x", "y", ""}, Subscription{Primary: "p", Backups: []Backup{b("y", 2)}}},
		{"backup replaced by the primary", BackupCardChanged{"y", "p", ""}, Subscription{Primary: "p", Backups: []Backup{b("x", 1)}}},
		{"no such backup", BackupCardChanged{"z", "n", ""}, Subscription{Primary: "p", Backups: []Backup{b("x", 1), b("y", 2)}}},
	} {
		s := Subscription{Primary: "p", Backups: []Backup{b("x", 1), b("y", 2)}}
		old := s
		test.event.Evolve(&s)
		if diff := cmp.Diff(test.want, s); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if want := []Backup{b("x", 1), b("y", 2)}; !slices.Equal(old.Backups, want) {
			t.Errorf("%s: the copy's backups = %v, want %v", test.name, old.Backups, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := Subscription{Product: "Suite", Primary: "ann-1"}
	for _, test := range []struct {
		card, rule, instead string
		facts               map[string]any
	}{
		{"bob-1", "C4", "AddCard", map[string]any{"owner": bob}},
		{"expired", "K3", "UpdateCardDetails", nil},
		{"removed", "C6", "AddCard", nil},
		{"abroad", "C6", "AddCard", nil},
		{"blocked", "C7", "AddCard", nil},
	} {
		_, err := AddBackupCard{test.card}.Decide(s, meta(ann))
		var got *domain.Error
		if !errors.As(err, &got) || got.Rule != test.rule || got.Instead != test.instead || got.Pointer != "/cardId" || len(got.InsteadBy) == 0 {
			t.Errorf("AddBackupCard(%s): %+v, want rule %s and instead %s", test.card, err, test.rule, test.instead)
			continue
		}
		if diff := cmp.Diff(test.facts, got.Facts); diff != "" {
			t.Errorf("AddBackupCard(%s): facts (-want +got):\n%s", test.card, diff)
		}
	}
}
