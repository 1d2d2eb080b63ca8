package invoiceswitch_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/invoiceswitch"
	"konto/domain/postal"
)

const (
	id     = "01936c2e-0000-7000-8000-0000000000e1"
	tenant = "01936c2e-0000-7000-8000-0000000000aa"
	ann    = "01936c2e-0000-7000-8000-0000000000a1"
	helper = "01936c2e-0000-7000-8000-0000000000f1"
	bea    = "01936c2e-0000-7000-8000-0000000000a2" // may ask, too
	rex    = "01936c2e-0000-7000-8000-0000000000a3" // may not
	staff  = "01936c2e-0000-7000-8000-0000000000bb" // support's tenant
)

var (
	friday = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	street = postal.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"}
	wrong  = postal.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "9", Country: "SE"}
	old    = friday.AddDate(0, -7, 0)
)

func meta(actor string, terms ...Terms) Meta {
	var versions []domain.Version[Terms]
	for i, t := range terms {
		versions = append(versions, domain.Version[Terms]{Number: i + 2, Rules: t})
	}
	f := Policy.Known(domain.Facts{}, versions...).
		Knows(domain.Of[Subscription]("sub"), Subscription{Exists: true, BoughtBy: ann, RegisteredAt: friday}).
		Knows(domain.Of[Subscription]("old"), Subscription{Exists: true, BoughtBy: ann, RegisteredAt: old}).
		Knows(domain.Of[Subscription]("invoiced"), Subscription{Exists: true, BoughtBy: ann, Invoiced: true}).
		Knows(domain.Of[Subscription]("ended"), Subscription{Exists: true, BoughtBy: ann, RegisteredAt: friday, Ended: true}).
		Knows(domain.Of[Subscription]("theirs"), Subscription{Exists: true, BoughtBy: "them"}).
		Knows(domain.Of[Subscription]("none"), Subscription{}).
		Knows(domain.Of[Subscription]("left"), Subscription{Exists: true, BoughtBy: rex}).
		Knows(domain.Of[Asker](ann), Asker{tenant, true}).Knows(domain.Of[Asker](bea), Asker{tenant, true}).Knows(domain.Of[Asker](rex), Asker{tenant, false}).
		Knows(domain.Of[Asker]("them"), Asker{"theirs", true}).Knows(domain.Of[Asker](helper), Asker{staff, true}).Knows(domain.Of[Asker]("nobody"), Asker{}).
		Knows(domain.Of[Buyer](rex), Buyer{tenant}).Knows(domain.Of[Asker](""), Asker{}).
		Knows(domain.Of[Buyer](ann), Buyer{tenant}).Knows(domain.Of[Buyer]("them"), Buyer{"theirs"}).Knows(domain.Of[Buyer](""), Buyer{}).
		Knows(street.Need(), postal.Verdict{Grade: postal.FormatOK, DataVersion: "1"}).
		Knows(wrong.Need(), postal.Verdict{Problems: []postal.Problem{{Field: postal.PostalCode, Fault: postal.Malformed}}})
	f = f.Knows(domain.Of[Currency]("SEK"), Currency{true})
	for _, code := range []string{"", "kr", "sek", "XQZ", "XXX"} {
		f = f.Knows(domain.Of[Currency](code), Currency{})
	}
	for key, number := range map[string]string{
		"SE +46701740605": "+46701740605", "SE 070-174 06 05": "+46701740605", "SE +45 32123456": "+4532123456", "SE 090-10 00 00x7": "+4690100000;ext=7",
		"SE ": "", "SE nonsense": "", "SE 0000": "", "SE 112": "",
	} {
		f = f.Knows(domain.Of[PhoneNumber](key), PhoneNumber{number != "", number, "plans/1"})
	}
	return Meta{ID: id, Tenant: tenant, At: friday, Actor: domain.Actor{ID: actor, Kind: domain.KindPerson, Tenant: tenant}, Facts: f}
}

func request(changes ...func(*RequestSwitchToInvoice)) RequestSwitchToInvoice {
	c := RequestSwitchToInvoice{
		SubscriptionID: "sub", Reason: AmountRises, AmountMinor: 600000, Currency: "SEK", PONumber: "PO 7", Name: "Ann", Phone: "+46701740605", Address: street,
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func requested(changes ...func(*InvoiceSwitchRequested)) InvoiceSwitchRequested {
	e := InvoiceSwitchRequested{
		SubscriptionID: "sub", Reason: AmountRises, AmountMinor: 600000, Currency: "SEK", Country: "SE", PONumber: "PO 7",
		Contact: domain.About(ann, Contact{"Ann", "+46701740605", street}), AddressCheck: postal.Checked{Grade: postal.FormatOK, DataVersion: "1"},
		PhoneData: "plans/1", CreditDue: friday.AddDate(0, 0, 4), By: ann, At: friday,
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func events(e ...Event) []Event { return e }

func checks(age, cost, balance, credit bool) []Check {
	return []Check{{CheckAge, age}, {CheckCost, cost}, {CheckBalance, balance}, {CheckCredit, credit}}
}

func evaluated(c []Check, unpaid ...string) EligibilityEvaluated {
	return EligibilityEvaluated{Checks: c, Unpaid: unpaid, CustomerSince: old, At: friday}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	with := func(change func(*RequestSwitchToInvoice)) RequestSwitchToInvoice { return request(change) }
	field := func(name string, change func(*RequestSwitchToInvoice)) domaintest.Case[Case] {
		return domaintest.Case[Case]{Name: name, When: request(change), Meta: meta(ann), Err: ErrField}
	}
	reads := func(name, phone, number string) domaintest.Case[Case] {
		return domaintest.Case[Case]{
			Name: name, When: with(func(c *RequestSwitchToInvoice) { c.Phone = phone }), Meta: meta(ann),
			Then: events(requested(func(e *InvoiceSwitchRequested) { e.Contact = domain.About(ann, Contact{"Ann", number, street}) })),
		}
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Case]{
		{Name: "C10: request; the credit check is due in two business days", When: request(), Meta: meta(ann), Then: events(requested())},
		{Name: "C10: asked for again", Given: events(requested()), When: request(), Meta: meta(ann)},
		{Name: "C10: another request under the same ID", Given: events(requested()), When: request(), Meta: meta(helper), Err: ErrExists},
		{Name: "C10: no such subscription", When: with(func(c *RequestSwitchToInvoice) { c.SubscriptionID = "none" }), Meta: meta(ann), Err: ErrSubscription},
		{Name: "C10: another tenant's subscription is as good as none", When: with(func(c *RequestSwitchToInvoice) { c.SubscriptionID = "theirs" }), Meta: meta(ann), Err: ErrSubscription},
		{Name: "C10: paid by invoice already", When: with(func(c *RequestSwitchToInvoice) { c.SubscriptionID = "invoiced" }), Meta: meta(ann), Err: ErrInvoiced},
		{Name: "C10: the subscription is cancelled", When: with(func(c *RequestSwitchToInvoice) { c.SubscriptionID = "ended" }), Meta: meta(ann), Err: ErrEnded},
		{Name: "C10: phone only, not called", When: request(), Meta: meta(ann, PhoneOnly()), Err: ErrPhoneOnly},
		{
			Name: "C10: phone only, called", When: with(func(c *RequestSwitchToInvoice) { c.CaseRef = "CASE-1" }), Meta: meta(ann, PhoneOnly()),
			Then: events(requested(func(e *InvoiceSwitchRequested) { e.CaseRef, e.CreditDue = "CASE-1", time.Time{} })),
		},
		field("C10: a reason that is none", func(c *RequestSwitchToInvoice) { c.Reason = "fun" }),
		field("C10: no amount", func(c *RequestSwitchToInvoice) { c.AmountMinor = 0 }),
		field("C10: no currency", func(c *RequestSwitchToInvoice) { c.Currency = "kr" }),
		field("C10: an order number of two lines", func(c *RequestSwitchToInvoice) { c.PONumber = "1\n2" }),
		field("C10: an order number that turns what follows", func(c *RequestSwitchToInvoice) { c.PONumber = "1\u202e2" }),
		field("C10: nobody to send it to", func(c *RequestSwitchToInvoice) { c.Name = " " }),
		field("C10: a currency in small letters", func(c *RequestSwitchToInvoice) { c.Currency = "sek" }),
		field("C10: a currency that there is not", func(c *RequestSwitchToInvoice) { c.Currency = "XQZ" }),
		field("C10: the code of no currency", func(c *RequestSwitchToInvoice) { c.Currency = "XXX" }),
		field("C10: no phone number", func(c *RequestSwitchToInvoice) { c.Phone = "" }),
		field("F2: letters for a phone number", func(c *RequestSwitchToInvoice) { c.Phone = "nonsense" }),
		field("F2: four zeros", func(c *RequestSwitchToInvoice) { c.Phone = "0000" }),
		field("F2: a number that is dialled locally only", func(c *RequestSwitchToInvoice) { c.Phone = "112" }),
		reads("F1, F4: a national number is one of the address's country, read by plans that are named", "070-174 06 05", "+46701740605"),
		reads("F1: a number of another country", "+45 32123456", "+4532123456"),
		reads("F1: an extension is kept", "090-10 00 00x7", "+4690100000;ext=7"),
		{
			Name: "F4: a number from before is kept as it was written", When: RequestSwitchToCard{}, Meta: meta(ann), Err: ErrBackToCard,
			Given: events(requested(func(e *InvoiceSwitchRequested) {
				e.Contact, e.PhoneData = domain.About(ann, Contact{"Ann", "nonsense", street}), ""
			})),
		},
		field("C10: a reference of two lines", func(c *RequestSwitchToInvoice) { c.CaseRef = "1\n2" }),
		field("C10: a name that nobody sees", func(c *RequestSwitchToInvoice) { c.Name = "\u3164" }),
		{Name: "A1: an address that the country does not have", When: with(func(c *RequestSwitchToInvoice) { c.Address = wrong }), Meta: meta(ann), Err: postal.ErrAddress},
		{Name: "C10: no way back to a card", Given: events(requested()), When: RequestSwitchToCard{}, Meta: meta(ann), Err: ErrBackToCard},
		{Name: "C10: no way back from no case", When: RequestSwitchToCard{}, Meta: meta(ann), Err: ErrNotFound},
	})
}

// supporting is billing support's view: of another tenant than the case's.
func supporting(terms ...Terms) Meta {
	m := meta(helper, terms...)
	m.Actor.Tenant, m.Actor.Roles = staff, []domain.Role{domain.BillingSupport}
	return m
}

// inside is the view of somebody of the case's own tenant.
func inside(roles ...domain.Role) Meta {
	m := meta(helper)
	m.Actor.Roles = roles
	return m
}

func TestRequestByBillingSupport(t *testing.T) {
	t.Parallel()
	by := func(who string) RequestSwitchToInvoice {
		return request(func(c *RequestSwitchToInvoice) { c.RequestedBy = who })
	}
	of := func(sub string) RequestSwitchToInvoice {
		return request(func(c *RequestSwitchToInvoice) { c.SubscriptionID = sub })
	}
	opened := func(asker string) InvoiceSwitchRequested {
		return requested(func(e *InvoiceSwitchRequested) {
			e.By, e.OpenedBy, e.Contact.Subject = asker, helper, asker
		})
	}
	called := opened(ann)
	called.CaseRef, called.CreditDue = "BS-1", time.Time{}
	referred := request(func(c *RequestSwitchToInvoice) { c.CaseRef = "BS-1" })
	unnumbered := called
	unnumbered.CaseRef = ""
	domaintest.Run(t, Aggregate, []domaintest.Case[Case]{
		{Name: "C10: billing support asks for who bought the subscription", When: request(), Meta: supporting(), Then: events(opened(ann))},
		{Name: "C10: billing support asks for the admin who called", When: by(bea), Meta: supporting(), Then: events(opened(bea))},
		{Name: "C10: billing support asks again", Given: events(opened(bea)), When: by(bea), Meta: supporting()},
		{Name: "C10: the admin asks for what billing support has opened for them", Given: events(opened(ann)), When: request(), Meta: meta(ann)},
		{Name: "C10: billing support asks under the ID of another's wish", Given: events(opened(ann)), When: by(bea), Meta: supporting(), Err: ErrExists},
		{Name: "C10: somebody calls who may not ask", When: by(rex), Meta: supporting(), Err: ErrAsker},
		{Name: "C10: who bought it may ask no more, and nobody else is named", When: of("left"), Meta: supporting(), Err: ErrAsker},
		{Name: "C10: somebody of another customer calls", When: by("them"), Meta: supporting(), Err: ErrAsker},
		{Name: "C10: billing support calls itself", When: by(helper), Meta: supporting(), Err: ErrAsker},
		{Name: "C10: nobody is called so", When: by("nobody"), Meta: supporting(), Err: ErrAsker},
		{Name: "C10: an admin asks for another", When: by(bea), Meta: meta(ann), Err: ErrForOthers},
		{Name: "C10: an admin names herself", When: by(ann), Meta: meta(ann), Then: events(requested())},
		{Name: "C10: billing support names another customer's subscription", When: of("theirs"), Meta: supporting(), Err: ErrSubscription},
		{Name: "C10: billing support names none that is there", When: of("none"), Meta: supporting(), Err: ErrSubscription},
		{Name: "C10: billing support asks for what is paid by invoice", When: of("invoiced"), Meta: supporting(), Err: ErrInvoiced},
		{Name: "C10: billing support's own organization: a supporter asks for who bought it", When: request(), Meta: inside(domain.BillingSupport), Then: events(opened(ann))},
		{Name: "C10: billing support's own organization: a supporter does not ask for herself", When: by(helper), Meta: inside(domain.BillingSupport), Err: ErrAsker},
		{
			Name: "C10: billing support's own organization: an admin asks for herself, a supporter or not", When: request(), Meta: inside(domain.BillingSupport, domain.BillingAdmin),
			Then: events(requested(func(e *InvoiceSwitchRequested) { e.By, e.Contact.Subject = helper, helper })),
		},
		{
			Name: "A1: billing support writes down an address that the country does not have", Meta: supporting(), Err: postal.ErrAddress,
			When: request(func(c *RequestSwitchToInvoice) { c.Address = wrong }),
		},
		{Name: "C10: phone only: billing support starts it, without a number of its own", When: request(), Meta: supporting(PhoneOnly()), Then: events(unnumbered)},
		{Name: "C10: phone only: or with its number", When: referred, Meta: supporting(PhoneOnly()), Then: events(called)},
		{
			Name: "C10: the number of the case that billing support opens is recorded with it", When: referred, Meta: supporting(),
			Then: events(func() Event { e := opened(ann); e.CaseRef = "BS-1"; return e }()),
		},
	})
}

// The new case is about the subscription, whatever else the command says, and
// who may not know of that hears what they would hear if there were none.
func TestRequestIsAboutItsSubscription(t *testing.T) {
	t.Parallel()
	got := request(func(c *RequestSwitchToInvoice) { c.RequestedBy = bea }).Concern()
	if want := (domain.Concern{Fact: domain.Of[Subscription]("sub"), None: ErrSubscription}); got != want {
		t.Errorf("C10: Concern = %+v, want %+v", got, want)
	}
}

// about is what is known of a case about another subscription.
func about(sub string, terms ...Terms) Meta {
	m := knowing(terms...)
	m.Facts = m.Facts.Knows(domain.Of[Own](id), Own{sub})
	return m
}

// of is a request to pay another subscription by invoice.
func of(sub string) InvoiceSwitchRequested {
	return requested(func(e *InvoiceSwitchRequested) { e.SubscriptionID, e.AmountMinor = sub, 1000000 })
}

// comesToNothing is how a case ends that nobody has refused.
func comesToNothing(sub, why string) []Event {
	return events(InvoiceSwitchDenied{sub, why, "policy", ann, friday})
}

func knowing(terms ...Terms) Meta {
	m := meta(helper, terms...)
	m.Facts = m.Facts.Knows(domain.Of[Own](id), Own{"sub"})
	return m
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	cheap := requested(func(e *InvoiceSwitchRequested) { e.AmountMinor = 499999 })
	large := requested(func(e *InvoiceSwitchRequested) { e.AmountMinor = 1000000 })
	since := EvaluateEligibility{CustomerSince: old}
	local := Policy.First
	local.Thresholds = []Threshold{{"", "SEK", 1}, {"SE", "SEK", 700000}}
	domaintest.Run(t, Aggregate, []domaintest.Case[Case]{
		{Name: "C10: all but the credit check", Given: events(requested()), When: since, Meta: knowing(), Then: events(evaluated(checks(true, true, true, false)))},
		{
			Name: "C10: a new customer", Given: events(requested()), When: EvaluateEligibility{}, Meta: knowing(),
			Then: events(EligibilityEvaluated{Checks: checks(false, true, true, false), CustomerSince: friday, At: friday}),
		},
		{Name: "C10: below the threshold", Given: events(cheap), When: since, Meta: knowing(), Then: events(evaluated(checks(true, false, true, false)))},
		{Name: "C10: the threshold of the location", Given: events(requested()), When: since, Meta: knowing(local), Then: events(evaluated(checks(true, false, true, false)))},
		{
			Name: "C10: something is owed", Given: events(requested()), When: EvaluateEligibility{CustomerSince: old, Unpaid: []string{"bill"}}, Meta: knowing(),
			Then: events(evaluated(checks(true, true, false, false), "bill")),
		},
		{Name: "C10: nothing has changed", Given: events(requested(), evaluated(checks(true, true, true, false))), When: since, Meta: knowing()},
		{
			Name: "C10: the balance is paid", Given: events(requested(), evaluated(checks(true, true, false, false), "bill")), When: since, Meta: knowing(),
			Then: events(evaluated(checks(true, true, true, false))),
		},
		{
			Name: "C10: a large order is approved at once where the rules say so", Given: events(large), When: since, Meta: knowing(LargeOrders()),
			Then: events(evaluated(checks(true, true, true, true)), InvoiceSwitchApproved{
				SubscriptionID: "sub", PONumber: "PO 7", By: "policy", RequestedBy: ann, CoversBalance: true, At: friday,
			}),
		},
		{Name: "C10: a small one is not", Given: events(requested()), When: since, Meta: knowing(LargeOrders()), Then: events(evaluated(checks(true, true, true, true)))},
		{Name: "C10: the subscription has ended", Given: events(of("ended")), When: since, Meta: about("ended"), Then: comesToNothing("ended", WhyEnded)},
		{Name: "C10: it has ended, and a large order would be approved at once", Given: events(of("ended")), When: since, Meta: about("ended", LargeOrders()), Then: comesToNothing("ended", WhyEnded)},
		{Name: "C10: it has ended after the approval and before the switch", Given: events(of("ended"), InvoiceSwitchApproved{SubscriptionID: "ended"}), When: since, Meta: about("ended"), Then: comesToNothing("ended", WhyEnded)},
		{Name: "C10: it has ended after the switch", Given: events(of("ended"), InvoiceSwitchApproved{SubscriptionID: "ended"}, InvoiceSwitchApplied{}), When: since, Meta: about("ended")},
		{Name: "C10: an approved case is not judged again", Given: events(requested(), InvoiceSwitchApproved{SubscriptionID: "sub"}), When: since, Meta: knowing()},
		{Name: "C10: another case was first, and a large order would be approved at once", Given: events(of("invoiced")), When: since, Meta: about("invoiced", LargeOrders()), Then: comesToNothing("invoiced", WhyInvoiced)},
		{Name: "C10: a decided case is not judged again", Given: events(requested(), InvoiceSwitchDenied{}), When: since, Meta: knowing()},
		{Name: "C10: no case", When: since, Meta: knowing(), Err: ErrNotFound},
	})
}

func TestDecide(t *testing.T) {
	t.Parallel()
	ref := SupportCaseRecorded{"CASE-1", helper}
	good, bad := checks(true, true, true, true), checks(true, true, true, false)
	passed, refused := CreditCheckRecorded{true, "CR-1", helper, friday}, CreditCheckRecorded{false, "CR-1", helper, friday}
	approve := InvoiceSwitchApproved{SubscriptionID: "sub", PONumber: "PO 7", By: helper, CaseRef: "CASE-1", RequestedBy: ann, At: friday}
	denied := InvoiceSwitchDenied{"sub", CheckCredit, helper, ann, friday}
	ready := events(requested(), evaluated(bad), ref, passed, evaluated(good))
	domaintest.Run(t, Aggregate, []domaintest.Case[Case]{
		{Name: "C10: support opens its case", Given: events(requested()), When: RecordSupportCase{"CASE-1"}, Meta: meta(helper), Then: events(ref)},
		{Name: "C10: the same reference again", Given: events(requested(), ref), When: RecordSupportCase{"CASE-1"}, Meta: meta(helper)},
		{Name: "C10: an empty reference", Given: events(requested()), When: RecordSupportCase{" "}, Meta: meta(helper), Err: ErrField},
		{Name: "C10: a reference for no case", When: RecordSupportCase{"CASE-1"}, Meta: meta(helper), Err: ErrNotFound},
		{Name: "C10: the credit check passes", Given: events(requested(), evaluated(bad)), When: RecordCreditCheck{true, "CR-1"}, Meta: meta(helper), Then: events(passed, evaluated(good))},
		{Name: "C10: the credit check does not pass", Given: events(requested(), evaluated(bad)), When: RecordCreditCheck{false, "CR-1"}, Meta: meta(helper), Then: events(refused)},
		{Name: "C10: a credit check before anything is known", Given: events(requested()), When: RecordCreditCheck{true, "CR-1"}, Meta: meta(helper), Then: events(passed)},
		{Name: "C10: a credit check without a reference", Given: events(requested()), When: RecordCreditCheck{true, ""}, Meta: meta(helper), Err: ErrField},
		{Name: "C10: a credit check of a decided case", Given: append(ready, approve), When: RecordCreditCheck{false, "CR-2"}, Meta: meta(helper), Err: ErrDecided},
		{Name: "C10: support approves", Given: ready, When: ApproveSwitchToInvoice{}, Meta: knowing(), Then: events(approve)},
		{Name: "C10: an endless note", Given: ready, When: ApproveSwitchToInvoice{Note: string(make([]byte, 501))}, Meta: knowing(), Err: ErrField},
		{Name: "C10: approved before support has a case", Given: events(requested(), evaluated(good)), When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrCaseRef},
		{Name: "C10: approved before it is known what is owed", Given: events(requested(), ref), When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrNotEvaluated},
		{Name: "C10: approved without a credit check", Given: events(requested(), evaluated(bad), ref), When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrCreditCheck},
		{Name: "C10: approved after a bad credit check", Given: events(requested(), evaluated(bad), ref, refused), When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrCreditCheck},
		{
			Name: "C10: approved while something is owed", Given: events(requested(), evaluated(checks(true, true, false, false), "bill"), ref, passed),
			When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrBalance,
		},
		{
			Name: "C10: what is owed goes on the next invoice where the rules say so", Given: events(requested(), evaluated(checks(true, true, false, false), "bill"), ref),
			When: ApproveSwitchToInvoice{}, Meta: knowing(LargeOrders()),
			Then: events(evaluated(good, "bill"), func() InvoiceSwitchApproved { a := approve; a.CoversBalance = true; return a }()),
		},
		{
			Name: "C10: approved for a new customer", Given: events(requested(), EligibilityEvaluated{Checks: checks(false, true, true, true), CustomerSince: friday}, ref, passed),
			When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrNotEligible,
		},
		{Name: "C10: approved twice", Given: append(ready, approve), When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrDecided},
		{Name: "C10: no case to approve", When: ApproveSwitchToInvoice{}, Meta: knowing(), Err: ErrNotFound},
		{Name: "C10: support denies", Given: events(requested()), When: DenySwitchToInvoice{CheckCredit}, Meta: meta(helper), Then: events(denied)},
		{Name: "C10: denied for no reason", Given: events(requested()), When: DenySwitchToInvoice{"so"}, Meta: meta(helper), Err: ErrField},
		{Name: "C10: denied after it was approved", Given: append(ready, approve), When: DenySwitchToInvoice{WhyOther}, Meta: meta(helper), Err: ErrDecided},
		{Name: "C10: it holds", Given: append(ready, approve), When: ConfirmSwitchApplied{}, Meta: meta("konto"), Then: events(InvoiceSwitchApplied{"sub", ann, friday})},
		{Name: "C10: it holds already", Given: append(ready, approve, InvoiceSwitchApplied{}), When: ConfirmSwitchApplied{}, Meta: meta("konto")},
		{Name: "C10: another case has brought it about", Given: ready, When: ConfirmSwitchApplied{}, Meta: meta("konto"), Then: comesToNothing("sub", WhyInvoiced)},
		{Name: "C10: another case has brought it about, and this one was denied", Given: append(ready, denied), When: ConfirmSwitchApplied{}, Meta: meta("konto")},
		{Name: "C10: approved for a subscription that has ended", Given: events(of("ended"), evaluated(good), ref), When: ApproveSwitchToInvoice{}, Meta: about("ended"), Err: ErrEnded},
		{Name: "C10: approved for one that is paid by invoice", Given: events(of("invoiced"), evaluated(good), ref), When: ApproveSwitchToInvoice{}, Meta: about("invoiced"), Err: ErrInvoiced},
	})
}

func TestTerms(t *testing.T) {
	t.Parallel()
	for name, terms := range map[string]Terms{"first": Policy.First, "phone only": PhoneOnly(), "large orders": LargeOrders()} {
		if err := terms.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, change := range []func(*Terms){
		func(t *Terms) { t.StartedBy = "fax" }, func(t *Terms) { t.CustomerMonths = -1 }, func(t *Terms) { t.CreditDays = 31 },
		func(t *Terms) { t.Balance = "forget" }, func(t *Terms) { t.SelfServiceMinor = -1 }, func(t *Terms) { t.Thresholds = []Threshold{{"", "kr", 1}} },
	} {
		terms := Policy.First
		if change(&terms); terms.Validate() == nil {
			t.Errorf("%+v is valid", terms)
		}
	}
}
