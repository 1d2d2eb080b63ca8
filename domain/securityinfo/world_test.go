package securityinfo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/securityinfo"
)

// Contacts of these tests. The numbers are Swedish ones reserved for fiction
// and North American examples.
const (
	number   = "070-174 06 05" // +46701740605
	other    = "070-174 06 06"
	third    = "070-174 06 07"
	landline = "08-12 34 56"
	premium  = "0900-123 45 67"
	private  = "ann@home.example"
	private2 = "ann@away.example"
)

// numbers is what the numbering plans say of them.
var numbers = map[string]PhoneNumber{
	"SE " + number:            {Possible: true, Valid: true, E164: "+46701740605", Type: Mobile, MetadataVersion: "v1"},
	"SE +46 70 174 06 05":     {Possible: true, Valid: true, E164: "+46701740605", Type: Mobile, MetadataVersion: "v1"},
	"SE " + other:             {Possible: true, Valid: true, E164: "+46701740606", Type: Mobile, MetadataVersion: "v1"},
	"SE " + third:             {Possible: true, Valid: true, E164: "+46701740607", Type: Mobile, MetadataVersion: "v1"},
	"SE " + landline:          {Possible: true, Valid: true, E164: "+468123456", Type: FixedLine, MetadataVersion: "v1"},
	"SE " + landline + " x12": {Possible: true, Valid: true, E164: "+468123456", Ext: "12", Type: FixedLine, MetadataVersion: "v1"},
	"SE " + number + "x12":    {Possible: true, Valid: true, E164: "+46701740605", Ext: "12", Type: Mobile, MetadataVersion: "v1"},
	"SE " + premium:           {Possible: true, Valid: true, E164: "+469001234567", Type: PremiumRate, MetadataVersion: "v1"},
	"SE +1 2015550123":        {Possible: true, Valid: true, E164: "+12015550123", Type: FixedLineOrMobile, MetadataVersion: "v1"},
	"SE +1 4251234567":        {Possible: true, E164: "+14251234567", Type: UnknownType, MetadataVersion: "v1"},
	"SE +1 5555551234x123":    {Possible: true, E164: "+15555551234", Ext: "123", Type: UnknownType, MetadataVersion: "v1"},
	"SE 112":                  {Type: UnknownType, MetadataVersion: "v1"},
}

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A world is what surrounds a decision.
type world struct {
	actor        domain.Actor
	after        time.Duration // since start
	command      string
	account      Account
	organization Organization
	terms        terms
}

// terms are the policies in force in a world.
type terms struct {
	code      CodeTerms
	recovery  RecoveryTerms
	session   SessionTerms
	reconfirm ReconfirmTerms
	help      HelpTerms
}

func self() domain.Actor {
	return domain.Actor{ID: "ann", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.BillingAdmin}}
}

func konto() domain.Actor { return domain.Actor{ID: "konto", Kind: domain.KindSystem} }

func globalAdmin() domain.Actor {
	return domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}}
}

func usual() world {
	return world{
		actor: self(), command: "c",
		account: Account{
			Exists: true, Tenant: "contoso", SignInName: "ann@contoso.example", Aliases: []string{"ann@old.example"},
			Roles: []domain.Role{domain.BillingAdmin},
		},
		organization: Organization{Country: "SE", Domains: []string{"contoso.example", "contoso.se"}},
		terms: terms{
			code: CodePolicy.First, recovery: RecoveryPolicy.First, session: SessionPolicy.First,
			reconfirm: ReconfirmPolicy.First, help: HelpPolicy.First,
		},
	}
}

// code is the code of a verification in these tests.
func code(verification string) string {
	sum := sha256.Sum256([]byte(verification))
	return fmt.Sprintf("%06d", (int(sum[0])<<16|int(sum[1])<<8|int(sum[2]))%1_000_000)
}

// mac is the keyed hash of these tests.
func mac(purpose, value string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + value))
	return hex.EncodeToString(sum[:16])
}

// inForce is a policy with one version after the first.
func inForce[P any](rules P) domain.Terms[P] {
	return domain.Terms[P]{Versions: []domain.Version[P]{{Number: 2, Rules: rules}}}
}

// meta returns what the decision of cmd may know, asking for facts as the
// command handler does.
func (w world) meta(cmd any) Meta {
	m := Meta{
		ID: "ann", Tenant: "contoso", Actor: w.actor, At: start.Add(w.after), Command: w.command,
		Code: code, MAC: mac,
	}
	if m.Actor.Kind == domain.KindPerson && m.Actor.AuthenticatedAt.IsZero() {
		m.Actor.AuthenticatedAt = m.At // signed in a moment ago, unless the row says otherwise
	}
	return domaintest.Gather(m, cmd, w.fact)
}

func (w world) fact(n domain.Need) any {
	switch n.Type {
	case reflect.TypeFor[Account]():
		return w.account
	case reflect.TypeFor[Organization]():
		return w.organization
	case reflect.TypeFor[domain.Terms[CodeTerms]]():
		return inForce(w.terms.code)
	case reflect.TypeFor[domain.Terms[RecoveryTerms]]():
		return inForce(w.terms.recovery)
	case reflect.TypeFor[domain.Terms[SessionTerms]]():
		return inForce(w.terms.session)
	case reflect.TypeFor[domain.Terms[ReconfirmTerms]]():
		return inForce(w.terms.reconfirm)
	case reflect.TypeFor[domain.Terms[HelpTerms]]():
		return inForce(w.terms.help)
	case reflect.TypeFor[PhoneNumber]():
		number, ok := numbers[strings.TrimSpace(n.Key)]
		if !ok {
			panic("no such number in the test: " + n.Key)
		}
		return number
	default:
		local, host, ok := strings.Cut(strings.TrimSpace(n.Key), "@")
		if !ok {
			return MailAddress{Reason: "not of the form name@domain"}
		}
		host = strings.ToLower(host)
		return MailAddress{OK: true, Normalized: local + "@" + host, Domain: host}
	}
}

// A row is one case in a world.
type row struct {
	name  string
	given []Event
	when  domain.Command[SecurityInfo]
	in    func(*world) // nil: the usual world
	then  []Event
	err   error
}

func cases(rows []row) []domaintest.Case[SecurityInfo] {
	out := make([]domaintest.Case[SecurityInfo], len(rows))
	for i, r := range rows {
		w := usual()
		if r.in != nil {
			r.in(&w)
		}
		out[i] = domaintest.Case[SecurityInfo]{Name: r.name, Given: r.given, When: r.when, Meta: w.meta(r.when), Then: r.then, Err: r.err}
	}
	return out
}

func later(d time.Duration) func(*world) { return func(w *world) { w.after = d } }

func by(a domain.Actor) func(*world) { return func(w *world) { w.actor = a } }

func mobile(raw string) UpdateSecurityInfo  { return UpdateSecurityInfo{Mobile: &raw} }
func altMob(raw string) UpdateSecurityInfo  { return UpdateSecurityInfo{AlternateMobile: &raw} }
func office(raw string) UpdateSecurityInfo  { return UpdateSecurityInfo{Office: &raw} }
func altMail(raw string) UpdateSecurityInfo { return UpdateSecurityInfo{AlternateEmail: &raw} }

func phone(raw string) domain.Personal[Phone] {
	n := numbers["SE "+raw]
	return domain.About("ann", Phone{E164: n.E164, Ext: n.Ext, Raw: raw})
}

func about(s string) domain.Personal[string] { return domain.About("ann", s) }

// history is what happened, given commands one after the other. Each command
// has an ID of its own, and none is refused.
func history(steps ...func(*world) domain.Command[SecurityInfo]) []Event {
	var (
		s      SecurityInfo
		events []Event
	)
	for i, step := range steps {
		w := usual()
		w.command = fmt.Sprintf("h%d", i)
		cmd := step(&w)
		if c, ok := cmd.(ConfirmContactVerification); ok && c.Code == "" {
			c.Code = code(verification(s, c.Slot))
			cmd = c
		}
		more, err := cmd.Decide(s, w.meta(cmd))
		if err != nil && len(more) == 0 {
			panic(fmt.Sprintf("step %d: %v", i, err))
		}
		for _, e := range more {
			e.Evolve(&s)
		}
		events = append(events, more...)
	}
	return slices.Clip(events) // so that rows may append to it
}

func verification(s SecurityInfo, slot Slot) string {
	return map[Slot]string{
		SlotMobile: s.Mobile.Verification, SlotAlternateMobile: s.AlternateMobile.Verification,
		SlotOffice: s.Office.Verification, SlotAlternateEmail: s.AlternateEmail.Verification,
	}[slot]
}

// do is a step of a [history].
func do(cmd domain.Command[SecurityInfo]) func(*world) domain.Command[SecurityInfo] {
	return at(0, cmd)
}

// at is a step of a [history] that happens after a while.
func at(after time.Duration, cmd domain.Command[SecurityInfo]) func(*world) domain.Command[SecurityInfo] {
	return func(w *world) domain.Command[SecurityInfo] {
		w.after = after
		return cmd
	}
}

// confirm is a step with the right code.
func confirm(slot Slot) func(*world) domain.Command[SecurityInfo] {
	return do(ConfirmContactVerification{Slot: slot})
}

// asked is the event of a code that command "c" asks for.
func asked(slot Slot, channel domain.Channel, contact string, attempt int, now time.Time, life time.Duration) ContactVerificationRequested {
	return ContactVerificationRequested{
		Verification: VerificationID("c", slot), Slot: slot, Channel: channel, Contact: about(contact),
		Attempt: attempt, At: now, ExpiresAt: now.Add(life), Tries: 5,
	}
}

func fold(events []Event) SecurityInfo {
	var s SecurityInfo
	for _, e := range events {
		e.Evolve(&s)
	}
	return s
}

// counting is e as version 1 of the policies makes it, for the first contact.
func counting(e ContactVerified) ContactVerified {
	e.UsableFrom, e.ReconfirmBy = e.At.Add(24*time.Hour), e.At.AddDate(0, 0, 180)
	return e
}

// replaced is e as version 1 of the policies makes it, for a later contact that
// takes another's place.
func replaced(e ContactVerified) ContactVerified {
	e.UsableFrom, e.UndoUntil = e.At.Add(24*time.Hour), e.At.Add(72*time.Hour)
	return e
}

// goneFrom is the removal of a phone in use by command "c".
func goneFrom(slot Slot, e PhoneMethodRemoved) PhoneMethodRemoved {
	e.Slot, e.Change, e.UndoUntil = slot, RemovalID("c", slot), e.At.Add(72*time.Hour)
	return e
}
