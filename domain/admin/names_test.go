package admin_test

import (
	"errors"
	"testing"

	"konto/domain"
	. "konto/domain/admin"
)

func TestNames(t *testing.T) {
	is := added()
	alias := then(is, EmailAliasAdded{Email: ann("ann.berg@contoso.se")})
	renamed := then(alias, UserNameChanged{Old: ann("Ann@contoso.se"), New: ann("ann.ek@contoso.se")})
	primary := PrimaryEmailChanged{Old: ann("Ann@contoso.se"), New: ann("ann.berg@contoso.se")}
	erased := domain.Personal[string]{Subject: "ann", Erased: true}
	run(t, []row{
		{"S11: an alias", usual(), is, AddAlias{"ann.berg@Contoso.se"}, []Event{EmailAliasAdded{Email: ann("ann.berg@contoso.se")}}, nil},
		{"S11: an alias that the account has", usual(), alias, AddAlias{"ANN.BERG@contoso.se"}, nil, nil},
		{"S11: an alias that is the name to sign in with", usual(), is, AddAlias{"ann@contoso.se"}, nil, nil},
		{"S11: an alias that is no address", usual(), is, AddAlias{"ann"}, nil, ErrAlias},
		{"S11: an alias of nobody", usual(), nil, AddAlias{"ann.berg@contoso.se"}, nil, ErrNotFound},
		{"S11: an alias where a partner keeps the people", usual().managed(), is, AddAlias{"ann.berg@contoso.se"}, nil, ErrManaged},
		{"S13: an alias of somebody who has left", usual(), left(), AddAlias{"ann.berg@contoso.se"}, nil, ErrOffboarded},

		{
			"S11: a new name, and the old one stays as an alias", usual(), is,
			ChangeUserName{"ann.ek@Contoso.se"},
			[]Event{UserNameChanged{Old: ann("Ann@contoso.se"), New: ann("ann.ek@contoso.se")}},
			nil,
		},
		{
			"S11: a new name that was an alias", usual(), alias,
			ChangeUserName{"Ann.Berg@contoso.se"},
			[]Event{UserNameChanged{Old: ann("Ann@contoso.se"), New: ann("Ann.Berg@contoso.se"), Alias: 1}},
			nil,
		},
		{
			"S11: back to the old name", usual(), renamed,
			ChangeUserName{"ann@contoso.se"},
			[]Event{UserNameChanged{Old: ann("ann.ek@contoso.se"), New: ann("ann@contoso.se"), Alias: 2}},
			nil,
		},
		{"S11: the name in other letters", usual(), is, ChangeUserName{"aNN@contoso.se"}, nil, nil},
		{"S11: a name that is no mail address", usual(), is, ChangeUserName{"ann"}, nil, ErrSignInName},
		{"S11: a name with a dot right before the @", usual(), is, ChangeUserName{"ann.@contoso.se"}, nil, ErrSignInName},
		{"S11: a name that is too long by today's limits", usual().limits(UserNameTerms{MaxCharacters: 10, MaxLocalCharacters: 5, MaxDomainCharacters: 5}), is, ChangeUserName{"ann.ek@contoso.se"}, nil, ErrSignInName},
		{"S11: a name for nobody", usual(), nil, ChangeUserName{"ann.ek@contoso.se"}, nil, ErrNotFound},
		{"S11: a name where a partner keeps the people", usual().managed(), is, ChangeUserName{"ann.ek@contoso.se"}, nil, ErrManaged},
		{
			"S11: a name that the partner's console told of", usual().managed().by(konto), is,
			ChangeUserName{"ann.ek@contoso.se"},
			[]Event{UserNameChanged{Old: ann("Ann@contoso.se"), New: ann("ann.ek@contoso.se")}},
			nil,
		},
		{"S13: a name for somebody who has left", usual(), left(), ChangeUserName{"ann.ek@contoso.se"}, nil, ErrOffboarded},
		{
			"S11: a name for somebody whose old one was erased", usual(),
			[]Event{EmployeeAdded{Tenant: "contoso", SignInName: erased, DisplayName: erased}},
			ChangeUserName{"ann.ek@contoso.se"},
			[]Event{UserNameChanged{Old: erased, New: ann("ann.ek@contoso.se")}},
			nil,
		},

		{"S11: mail goes to an alias", usual(), alias, SetPrimaryEmail{"ANN.berg@contoso.se"}, []Event{primary}, nil},
		{"S11: mail goes there already", usual(), then(alias, primary), SetPrimaryEmail{"ann.berg@contoso.se"}, nil, nil},
		{"S11: mail goes to the name anyway", usual(), alias, SetPrimaryEmail{"ann@contoso.se"}, nil, nil},
		{
			"S11: mail goes to the name again", usual(), then(alias, primary),
			SetPrimaryEmail{"ann@contoso.se"},
			[]Event{PrimaryEmailChanged{Old: ann("ann.berg@contoso.se"), New: ann("Ann@contoso.se")}},
			nil,
		},
		{"S11: mail to an address that the account has not", usual(), alias, SetPrimaryEmail{"ann@home.example"}, nil, ErrNotOwn},
		{"S11: mail to what is no address", usual(), alias, SetPrimaryEmail{"ann"}, nil, ErrAlias},
		{"S11: mail where a partner keeps the people", usual().managed(), alias, SetPrimaryEmail{"ann.berg@contoso.se"}, nil, ErrManaged},
		{"S11: mail of nobody", usual(), nil, SetPrimaryEmail{"ann.berg@contoso.se"}, nil, ErrNotFound},
		{"S13: mail of somebody who has left", usual(), left(), SetPrimaryEmail{"ann@contoso.se"}, nil, ErrOffboarded},

		{"S11: another display name", usual(), is, ChangeDisplayName{" Ann B "}, []Event{DisplayNameChanged{ann("Ann B")}}, nil},
		{"S11: the same display name", usual(), is, ChangeDisplayName{"Ann Berg"}, nil, nil},
		{"S11: no display name", usual(), is, ChangeDisplayName{}, nil, ErrDisplayName},
		{"S11: a control character in a display name", usual(), is, ChangeDisplayName{"Ann\x1b[1m"}, nil, ErrDisplayName},
		{"S11: a display name that nobody sees", usual(), is, ChangeDisplayName{"\u3164\u200b"}, nil, ErrDisplayName},
		{"S11: a display name that turns what follows", usual(), is, ChangeDisplayName{"Ann\u202e"}, nil, ErrDisplayName},
		{"S11: a display name of nobody", usual(), nil, ChangeDisplayName{"Ann"}, nil, ErrNotFound},
		{"S11: a display name where a partner keeps the people", usual().managed(), is, ChangeDisplayName{"Ann"}, nil, ErrManaged},
		{"S13: a display name of somebody who has left", usual(), blocked(), ChangeDisplayName{"Ann"}, nil, ErrOffboarded},

		{"C13: a language of one's own", usual(), is, SwitchLanguage{"da-DK"}, []Event{LanguageSwitched{Old: "sv-SE", New: "da-DK"}}, nil},
		{"C13: the language that it is", usual(), is, SwitchLanguage{"sv-SE"}, nil, nil},
		{"C13: the organization's language", usual(), is, SwitchLanguage{}, []Event{LanguageSwitched{Old: "sv-SE"}}, nil},
		{"C13: a language that is none", usual(), is, SwitchLanguage{"und"}, nil, ErrLocale},
		{"C13: a language for nobody", usual(), nil, SwitchLanguage{"da"}, nil, ErrNotFound},
		{"S13: a language for somebody who has left", usual(), left(), SwitchLanguage{"da"}, nil, ErrOffboarded},
	})
}

func fold(events []Event) Admin {
	var a Admin
	for _, e := range events {
		e.Evolve(&a)
	}
	return a
}

func TestAnAccountKeepsEveryAddressItHad(t *testing.T) {
	t.Parallel()
	events := added()
	for i, name := range []string{"ann.ek@contoso.se", "ann.berg@contoso.se", "ann.ek@contoso.se", "Ann@contoso.se", "a@contoso.se"} {
		cmd := ChangeUserName{name}
		more, err := cmd.Decide(fold(events), usual().meta(cmd))
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		events = append(events, more...)
	}
	a := fold(events)
	if a.SignInName.Value != "a@contoso.se" || len(a.Aliases) != 3 {
		t.Errorf("sign-in name %s with %v, want a@contoso.se with the three before", a.SignInName.Value, a.Aliases)
	}
	for _, address := range []string{"ann@contoso.se", "ann.ek@contoso.se", "ann.berg@contoso.se"} {
		if !a.Answers(address) {
			t.Errorf("%s is nobody's now", address)
		}
	}
}

func TestMailFollowsTheNameUntilItIsToldNotTo(t *testing.T) {
	t.Parallel()
	events := then(added(), EmailAliasAdded{Email: ann("b@contoso.se")}, UserNameChanged{Old: ann("Ann@contoso.se"), New: ann("c@contoso.se")})
	if got := fold(events).Mail().Value; got != "c@contoso.se" {
		t.Errorf("mail goes to %s, want the new name", got)
	}
	events = then(events, PrimaryEmailChanged{New: ann("b@contoso.se")}, UserNameChanged{Old: ann("c@contoso.se"), New: ann("d@contoso.se")})
	if got := fold(events).Mail().Value; got != "b@contoso.se" {
		t.Errorf("mail goes to %s, want the chosen address", got)
	}
}

func TestRenamingIsCautioned(t *testing.T) {
	t.Parallel()
	for _, c := range []domain.Cautioner{ChangeUserName{}, SetPrimaryEmail{}, OffboardEmployee{}} {
		seen := map[string]bool{}
		for _, caution := range c.Cautions() {
			if caution.Code == "" || caution.Detail == "" || seen[caution.Code] {
				t.Errorf("%T: caution %+v, want a code of its own and a text", c, caution)
			}
			seen[caution.Code] = true
		}
		if len(seen) == 0 {
			t.Errorf("%T warns of nothing", c)
		}
	}
}

func TestRefusalsNameTheNextStep(t *testing.T) {
	t.Parallel()
	for err, instead := range map[*domain.Error]string{
		ErrLast: "AssignRole", ErrLastRecoverable: "UpdateSecurityInfo", ErrLastProof: "ChangeAlternateEmail", ErrOffboarded: "RestoreEmployee", ErrGone: "AddEmployee", ErrErased: "AddEmployee", ErrNotOwn: "AddAlias",
	} {
		if err.Instead != instead || err.Rule == "" || len(err.InsteadBy) == 0 {
			t.Errorf("%+v, want instead %s, a rule and who may", err, instead)
		}
	}
	if errors.Is(ErrOffboarded, ErrGone) {
		t.Error("two refusals have one code")
	}
}
