package subject_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/domain"
	"konto/domain/domaintest"
	"konto/domain/subject"
)

const person = "01930000-0000-7000-8000-000000000010"

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func day(n float64) time.Time { return start.Add(time.Duration(n * 24 * float64(time.Hour))) }

type account = subject.Account

var (
	left   = account{Exists: true}
	active = account{Exists: true, Active: true}
	gone   = account{Exists: true, Gone: true}

	// Two departures of one person, who came back in between.
	once  = account{Exists: true, Offboarding: "o1", KeptUntil: day(30)}
	again = account{Exists: true, Offboarding: "o2", KeptUntil: day(32)}
)

func meta(at time.Time, a account, versions ...domain.Version[subject.Terms]) domain.Meta {
	facts := domain.Facts{}.Knows(domain.Of[account](person), a)
	return domain.Meta{
		ID: person, Tenant: "t", Actor: domain.Actor{ID: "anna", Kind: domain.KindPerson}, At: at,
		Facts: subject.ErasurePolicy.Known(facts, versions...),
	}
}

func bySystem(m domain.Meta) domain.Meta {
	m.Actor = domain.Actor{ID: "system", Kind: domain.KindSystem}
	return m
}

func given(events ...subject.Event) []subject.Event { return events }

var (
	requested = subject.ErasureRequested{DueAt: day(7), At: day(0)}
	started   = subject.ErasureStarted{KeysGoAt: day(7).Add(time.Hour), At: day(7)}
	destroyed = subject.SubjectKeyDestroyed{At: day(8)}
	held      = subject.LegalHoldPlaced{Reference: "T-1234/26", At: day(1)}
	released  = subject.LegalHoldReleased{Reference: "T-1234/26", At: day(9)}
)

func TestErasure(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, subject.Aggregate, []domaintest.Case[subject.Subject]{
		{
			Name: "N4: a request waits", When: subject.RequestErasure{}, Meta: meta(day(0), left),
			Then: given(requested),
		},
		{
			Name: "N4: how long is a policy", When: subject.RequestErasure{},
			Meta: meta(day(0), left, domain.Version[subject.Terms]{Number: 2, EffectiveAt: day(-1), Rules: subject.Terms{WaitDays: 30}}),
			Then: given(subject.ErasureRequested{DueAt: day(30), At: day(0)}),
		},
		{
			Name: "N4, S13: what is kept no longer waits no longer", When: subject.RequestErasure{}, Meta: meta(day(0), gone),
			Then: given(subject.ErasureRequested{DueAt: day(0), At: day(0)}),
		},
		{Name: "N4, S13: a request that waits goes on waiting", Given: given(requested), When: subject.RequestErasure{}, Meta: meta(day(1), gone)},
		{
			Name: "N4, S13: a hold keeps what is kept no longer", Given: given(held, subject.ErasureRequested{DueAt: day(2), At: day(2)}),
			When: subject.StartErasure{}, Meta: meta(day(2), gone), Then: given(subject.ErasureBlocked{Holds: 1, At: day(2)}),
		},
		{
			Name: "N4, S13: who is back is not erased", Given: given(requested), When: subject.StartErasure{}, Meta: meta(day(7), active),
			Then: given(subject.ErasureWithdrawn{At: day(7)}),
		},
		{
			Name: "N4, S13: nor who came back as it began", Given: given(requested, started), When: subject.DestroySubjectKey{}, Meta: meta(day(8), active),
			Then: given(subject.ErasureWithdrawn{At: day(8)}),
		},
		{
			Name: "N4, S13: and may be erased when they leave again", Given: given(requested, started, subject.ErasureWithdrawn{At: day(8)}),
			When: subject.RequestErasure{}, Meta: meta(day(9), left), Then: given(subject.ErasureRequested{DueAt: day(16), At: day(9)}),
		},
		{Name: "N4: nobody's data", When: subject.RequestErasure{}, Meta: meta(day(0), account{}), Err: subject.ErrNotFound},
		{Name: "N4: an account in use is not erased", When: subject.RequestErasure{}, Meta: meta(day(0), active), Err: subject.ErrActive},
		{Name: "N4: asked twice", Given: given(requested), When: subject.RequestErasure{}, Meta: meta(day(1), left)},
		{Name: "N4: asked twice, and restored since", Given: given(requested), When: subject.RequestErasure{}, Meta: meta(day(1), active)},
		{Name: "N4: already erased", Given: given(requested, started, destroyed), When: subject.RequestErasure{}, Meta: meta(day(9), left), Err: subject.ErrErased},
		{
			Name:  "N4, S13: the end of the retention time finds nothing left to erase",
			Given: given(requested, started, destroyed), When: subject.RequestErasure{}, Meta: bySystem(meta(day(40), gone)),
		},
		{
			Name: "N4: taken back", Given: given(requested), When: subject.WithdrawErasure{}, Meta: meta(day(3), left),
			Then: given(subject.ErasureWithdrawn{At: day(3)}),
		},
		{
			Name: "N4: asked again after it was taken back", Given: given(requested, subject.ErasureWithdrawn{At: day(3)}),
			When: subject.RequestErasure{}, Meta: meta(day(4), left), Then: given(subject.ErasureRequested{DueAt: day(11), At: day(4)}),
		},
		{Name: "N4: nothing to take back", When: subject.WithdrawErasure{}, Meta: meta(day(3), left), Err: subject.ErrNothingToWithdraw},
		{Name: "N4: begun", Given: given(requested, started), When: subject.WithdrawErasure{}, Meta: meta(day(7.01), left), Err: subject.ErrNothingToWithdraw},
		{Name: "N4: too late", Given: given(requested, started, destroyed), When: subject.WithdrawErasure{}, Meta: meta(day(9), left), Err: subject.ErrErased},

		{Name: "N4: not before its time", Given: given(requested), When: subject.StartErasure{}, Meta: meta(day(6.99), left)},
		{Name: "N4: nobody asked", When: subject.StartErasure{}, Meta: meta(day(7), left)},
		{Name: "N4: at its time", Given: given(requested), When: subject.StartErasure{}, Meta: meta(day(7), left), Then: given(started)},
		{Name: "N4: begun once", Given: given(requested, started), When: subject.StartErasure{}, Meta: meta(day(8), left)},
		{
			Name: "N4: a hold stands in the way", Given: given(requested, held), When: subject.StartErasure{}, Meta: meta(day(7), left),
			Then: given(subject.ErasureBlocked{Holds: 1, At: day(7)}),
		},
		{
			Name: "N4: and no more once it is released", Given: given(requested, held, subject.ErasureBlocked{Holds: 1, At: day(7)}, released),
			When: subject.StartErasure{}, Meta: meta(day(9), left), Then: given(subject.ErasureStarted{KeysGoAt: day(9).Add(time.Hour), At: day(9)}),
		},
		{
			Name: "N4: a hold that has ended by itself", Given: given(requested, subject.LegalHoldPlaced{Reference: "a", Until: day(5), At: day(1)}),
			When: subject.StartErasure{}, Meta: meta(day(7), left), Then: given(started),
		},

		{Name: "N4: the person is told first", Given: given(requested), When: subject.DestroySubjectKey{}, Meta: meta(day(8), left)},
		{Name: "N4: the keys stay for an hour", Given: given(requested, started), When: subject.DestroySubjectKey{}, Meta: meta(day(7).Add(59*time.Minute), left)},
		{Name: "N4: and go", Given: given(requested, started), When: subject.DestroySubjectKey{}, Meta: meta(day(8), left), Then: given(destroyed)},
		{
			Name: "N4: a hold at the last moment", Given: given(requested, started, held), When: subject.DestroySubjectKey{}, Meta: meta(day(8), left),
			Then: given(subject.ErasureBlocked{Holds: 1, At: day(8)}),
		},
		{Name: "N4: they go once", Given: given(requested, started, destroyed), When: subject.DestroySubjectKey{}, Meta: meta(day(9), left)},
		{
			Name: "N4: with evidence", Given: given(requested, started, destroyed), When: subject.CertifyErasure{Keys: 2, Digest: "ab"}, Meta: meta(day(8), left),
			Then: given(subject.ErasureCertified{Keys: 2, Digest: "ab", At: day(8)}),
		},
		{Name: "N4: nothing was destroyed", Given: given(requested, started), When: subject.CertifyErasure{Keys: 2, Digest: "ab"}, Meta: meta(day(8), left)},
		{
			Name: "N4: certified once", Given: given(requested, started, destroyed, subject.ErasureCertified{Keys: 2, At: day(8)}),
			When: subject.CertifyErasure{Keys: 2}, Meta: meta(day(9), left),
		},
	})
}

// A request is about one departure: who came back since is not erased, even if
// they have left again.
func TestErasureEndsWithAReturn(t *testing.T) {
	t.Parallel()
	asked := subject.ErasureRequested{DueAt: day(7), At: day(0), Offboarding: "o1"}
	withdrawn := func(n float64) []subject.Event { return given(subject.ErasureWithdrawn{At: day(n)}) }
	domaintest.Run(t, subject.Aggregate, []domaintest.Case[subject.Subject]{
		{Name: "N4, S13: a request is about one departure", When: subject.RequestErasure{}, Meta: meta(day(0), once), Then: given(asked)},
		{Name: "N4, S13: a return takes a request back", Given: given(asked), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(1), active)), Then: withdrawn(1)},
		{Name: "N4, S13: also one that does not say of which departure it is", Given: given(requested), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(1), active)), Then: withdrawn(1)},
		{Name: "N4, S13: also if the person has left again", Given: given(asked), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(2), again)), Then: withdrawn(2)},
		{Name: "N4, S13: also one that a hold has stopped", Given: given(asked, held, subject.ErasureBlocked{Holds: 1, At: day(7)}), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(8), active)), Then: withdrawn(8)},
		{Name: "N4, S13: also one that began at that moment", Given: given(asked, started), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(7), active)), Then: withdrawn(7)},
		{Name: "N4, S13: a return finds nothing to take back", When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(1), active))},
		{Name: "N4, S13: a return finds the keys gone", Given: given(asked, started, destroyed), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(9), active))},
		{
			Name: "N4, S13: word of an earlier return takes back nothing that was asked for since", Given: given(subject.ErasureRequested{DueAt: day(9), At: day(2), Offboarding: "o2"}),
			When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(3), again)),
		},
		{Name: "N4, S13: nor what may be of this departure", Given: given(requested), When: subject.WithdrawErasure{}, Meta: bySystem(meta(day(3), again))},
		{Name: "N4, S13: who came back and left again is not erased", Given: given(asked), When: subject.StartErasure{}, Meta: meta(day(7), again), Then: withdrawn(7)},
		{Name: "N4, S13: nor who did so as it began", Given: given(asked, started), When: subject.DestroySubjectKey{}, Meta: meta(day(8), again), Then: withdrawn(8)},
		{
			Name: "N4, S13: but who is asked about again is, in another time", Given: given(asked), When: subject.RequestErasure{}, Meta: meta(day(2), again),
			Then: given(subject.ErasureRequested{DueAt: day(9), At: day(2), Offboarding: "o2"}),
		},
		{
			Name: "N4, S13: and not on the day of the earlier request", Given: given(asked, subject.ErasureRequested{DueAt: day(9), At: day(2), Offboarding: "o2"}),
			When: subject.StartErasure{}, Meta: meta(day(7), again),
		},
		{Name: "N4, S13: a departure that goes on", Given: given(asked), When: subject.StartErasure{}, Meta: meta(day(7), once), Then: given(started)},
		{
			Name: "N4, S13: what is kept no longer goes, whichever departure was asked about", Given: given(asked), When: subject.StartErasure{},
			Meta: meta(day(32), account{Exists: true, Offboarding: "o2", KeptUntil: day(32), Gone: true}), Then: given(subject.ErasureStarted{KeysGoAt: day(32).Add(time.Hour), At: day(32)}),
		},
	})
}

// Once the time is over for which a leaver's data is kept, nobody makes it stay
// but by a legal hold, and that for no longer than the hold lasts.
func TestErasureIsNotTakenBackAfterRetention(t *testing.T) {
	t.Parallel()
	late := subject.ErasureRequested{DueAt: day(32), At: day(25), Offboarding: "o1"}
	over := account{Exists: true, Offboarding: "o1", KeptUntil: day(30), Gone: true}
	blocked := subject.ErasureBlocked{Holds: 1, At: day(32)}
	domaintest.Run(t, subject.Aggregate, []domaintest.Case[subject.Subject]{
		{Name: "S13, N4: taken back while the data is kept", Given: given(late), When: subject.WithdrawErasure{}, Meta: meta(day(29), once), Then: given(subject.ErasureWithdrawn{At: day(29)})},
		{Name: "S13, N4: not after that", Given: given(late), When: subject.WithdrawErasure{}, Meta: meta(day(31), over), Err: subject.ErrKeptNoLonger},
		{Name: "S13, N4: nor at the moment itself, which is recorded later", Given: given(late), When: subject.WithdrawErasure{}, Meta: meta(day(30), once), Err: subject.ErrKeptNoLonger},
		{Name: "S13, N4: nor under a hold", Given: given(late, held, blocked), When: subject.WithdrawErasure{}, Meta: meta(day(33), over), Err: subject.ErrKeptNoLonger},
		{
			Name: "S13, N4: whose end lets it go on", Given: given(late, held, blocked, released), When: subject.StartErasure{}, Meta: meta(day(40), over),
			Then: given(subject.ErasureStarted{KeysGoAt: day(40).Add(time.Hour), At: day(40)}),
		},
		{Name: "S13, N4: an account that never ended has no such time", Given: given(requested), When: subject.WithdrawErasure{}, Meta: meta(day(3), left), Then: given(subject.ErasureWithdrawn{At: day(3)})},
	})
}

func TestLegalHold(t *testing.T) {
	t.Parallel()
	place := func(reference string, until time.Time) subject.PlaceLegalHold {
		return subject.PlaceLegalHold{Reference: reference, Until: until}
	}
	domaintest.Run(t, subject.Aggregate, []domaintest.Case[subject.Subject]{
		{Name: "N4: a hold", When: place("T-1234/26", time.Time{}), Meta: meta(day(1), active), Then: given(held)},
		{
			Name: "N4: a hold with an end", When: place("T-1234/26", day(9)), Meta: meta(day(1), active),
			Then: given(subject.LegalHoldPlaced{Reference: "T-1234/26", Until: day(9), At: day(1)}),
		},
		{Name: "N4: placed twice", Given: given(held), When: place("T-1234/26", time.Time{}), Meta: meta(day(2), active)},
		{
			Name: "N4: another end", Given: given(held), When: place("T-1234/26", day(30)), Meta: meta(day(2), active),
			Then: given(subject.LegalHoldPlaced{Reference: "T-1234/26", Until: day(30), At: day(2)}),
		},
		{Name: "N4: an end that has passed", When: place("a", day(1)), Meta: meta(day(1), active), Err: subject.ErrHoldUntil},
		{Name: "N4: a reference that could be a name", When: place("Anna Lindqvist", time.Time{}), Meta: meta(day(1), active), Err: subject.ErrReference},
		{Name: "N4: no reference", When: place("", time.Time{}), Meta: meta(day(1), active), Err: subject.ErrReference},
		{Name: "N4: nobody's data is not held", When: place("a", time.Time{}), Meta: meta(day(1), account{}), Err: subject.ErrNotFound},
		{Name: "N4: nothing is left to hold", Given: given(requested, started, destroyed), When: place("a", time.Time{}), Meta: meta(day(9), left), Err: subject.ErrErased},
		{Name: "N4: released", Given: given(held), When: subject.ReleaseLegalHold{Reference: "T-1234/26"}, Meta: meta(day(9), active), Then: given(released)},
		{Name: "N4: one of two", Given: given(held), When: subject.ReleaseLegalHold{Reference: "b"}, Meta: meta(day(9), active), Err: subject.ErrHoldUnknown},
		{Name: "N4: released twice", Given: given(held, released), When: subject.ReleaseLegalHold{Reference: "T-1234/26"}, Meta: meta(day(9), active), Err: subject.ErrHoldUnknown},
	})
}

func TestExport(t *testing.T) {
	t.Parallel()
	domaintest.Run(t, subject.Aggregate, []domaintest.Case[subject.Subject]{
		{
			Name: "N4: handing out is recorded", When: subject.ExportSubjectData{}, Meta: meta(day(1), active),
			Then: given(subject.SubjectDataExported{To: "anna", At: day(1)}),
		},
		{Name: "N4: nobody's data is not handed out", When: subject.ExportSubjectData{}, Meta: meta(day(1), account{}), Err: subject.ErrNotFound},
		{Name: "N4: what is erased is not handed out", Given: given(requested, started, destroyed), When: subject.ExportSubjectData{}, Meta: meta(day(9), left), Err: subject.ErrErased},
	})
}

func TestMayFetch(t *testing.T) {
	t.Parallel()
	var s subject.Subject
	subject.SubjectDataExported{To: "anna", At: day(1)}.Evolve(&s)
	for _, c := range []struct {
		name, person string
		at           time.Time
		want         bool
	}{
		{"N4: whoever asked", "anna", day(1).Add(59 * time.Minute), true},
		{"N4: not for ever", "anna", day(1).Add(time.Hour), false},
		{"N4: nobody else", "bo", day(1), false},
	} {
		if got := s.MayFetch(c.person, c.at); got != c.want {
			t.Errorf("%s: MayFetch = %v, want %v", c.name, got, c.want)
		}
	}
	destroyed.Evolve(&s)
	if s.MayFetch("anna", day(1)) {
		t.Error("N4: MayFetch of what is erased = true")
	}
}

// However commands come, keys never go while a hold is in force, nor before the
// person was told, nor without a request.
func TestErasureNeverOvertakesAHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s subject.Subject
		at, holds := start, map[string]time.Time{}
		asked, told := false, false
		for range rapid.IntRange(1, 40).Draw(t, "commands") {
			at = at.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour)
			until := time.Time{}
			if rapid.Bool().Draw(t, "ends") {
				until = at.Add(48 * time.Hour)
			}
			name := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "reference")
			command := rapid.SampledFrom([]domain.Command[subject.Subject]{
				subject.RequestErasure{},
				subject.WithdrawErasure{},
				subject.StartErasure{},
				subject.StartErasure{},
				subject.DestroySubjectKey{},
				subject.PlaceLegalHold{Reference: name, Until: until},
				subject.ReleaseLegalHold{Reference: name},
			}).Draw(t, "command")
			events, _ := command.Decide(s, meta(at, left))
			for _, e := range events {
				switch e := e.(type) {
				case subject.ErasureRequested:
					asked = true
				case subject.ErasureWithdrawn, subject.ErasureBlocked:
					asked, told = asked && e != subject.Event(subject.ErasureWithdrawn{At: at}), false
				case subject.ErasureStarted:
					told = true
				case subject.LegalHoldPlaced:
					holds[e.Reference] = e.Until
				case subject.LegalHoldReleased:
					delete(holds, e.Reference)
				case subject.SubjectKeyDestroyed:
					for reference, until := range holds {
						if until.IsZero() || at.Before(until) {
							t.Fatalf("keys go at %s under hold %s until %s", at, reference, until)
						}
					}
					if !asked || !told {
						t.Fatalf("keys go: asked %v, told %v", asked, told)
					}
				}
				e.Evolve(&s)
			}
		}
	})
}

func TestTermsValidate(t *testing.T) {
	t.Parallel()
	for days, ok := range map[int]bool{-1: false, 0: true, 30: true, 31: false} {
		if err := (subject.Terms{WaitDays: days}).Validate(); (err == nil) != ok {
			t.Errorf("Validate(%d days) = %v, want ok %v", days, err, ok)
		}
	}
}
