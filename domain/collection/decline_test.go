package collection_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"

	. "konto/domain/collection"
)

func TestT1Taxonomy(t *testing.T) {
	t.Parallel()
	soft := Decline{IssuerSoft, Spaced, Bank, ItemBank, ShowGeneric, false, false}
	refused := soft
	refused.Retry = Never
	for _, test := range []struct {
		codes []stripe.DeclineCode
		want  Decline
	}{
		{
			[]stripe.DeclineCode{stripe.DeclineCodeIncorrectNumber, stripe.DeclineCodeInvalidNumber, stripe.DeclineCodeInvalidAccount},
			Decline{DataNumber, Never, Customer, ItemNumber, ShowCode, false, false},
		},
		{
			[]stripe.DeclineCode{stripe.DeclineCodeExpiredCard, stripe.DeclineCodeInvalidExpiryMonth, stripe.DeclineCodeInvalidExpiryYear},
			Decline{DataExpiry, Never, Customer, ItemExpiry, ShowCode, false, false},
		},
		{[]stripe.DeclineCode{stripe.DeclineCodeIncorrectZip}, Decline{DataAddress, AfterEdit, Customer, ItemAddress, ShowCode, false, false}},
		{[]stripe.DeclineCode{stripe.DeclineCodeIncorrectCVC, stripe.DeclineCodeInvalidCVC}, Decline{DataCVC, AfterEdit, Customer, "", ShowCode, false, false}},
		{
			[]stripe.DeclineCode{stripe.DeclineCodeInsufficientFunds, stripe.DeclineCodeCardVelocityExceeded, stripe.DeclineCodeWithdrawalCountLimitExceeded},
			Decline{Funds, Spaced, Customer, ItemBank, ShowCode, false, false},
		},
		{
			[]stripe.DeclineCode{
				stripe.DeclineCodeGenericDecline, stripe.DeclineCodeDoNotHonor, stripe.DeclineCodeCallIssuer, stripe.DeclineCodeNoActionTaken,
				stripe.DeclineCodeNotPermitted, stripe.DeclineCodeServiceNotAllowed, stripe.DeclineCodeTransactionNotAllowed,
			},
			soft,
		},
		{[]stripe.DeclineCode{stripe.DeclineCodeRestrictedCard, stripe.DeclineCodeSecurityViolation}, refused},
		{
			[]stripe.DeclineCode{
				stripe.DeclineCodeIssuerNotAvailable, stripe.DeclineCodeProcessingError, stripe.DeclineCodeReenterTransaction,
				stripe.DeclineCodeTryAgainLater, stripe.DeclineCodeApproveWithID,
			},
			Decline{Temporary, Soon, Time, "", ShowCode, false, false},
		},
		{[]stripe.DeclineCode{stripe.DeclineCodeAuthenticationRequired}, Decline{Auth, WithCustomer, Customer, "", ShowCode, false, false}},
		{
			[]stripe.DeclineCode{stripe.DeclineCodeCardNotSupported, stripe.DeclineCodeCurrencyNotSupported, stripe.DeclineCodeInvalidAmount},
			Decline{Capability, Never, Bank, ItemBank, ShowCode, false, false},
		},
		{
			[]stripe.DeclineCode{
				stripe.DeclineCodeRevocationOfAuthorization, stripe.DeclineCodeRevocationOfAllAuthorizations,
				stripe.DeclineCodeStopPaymentOrder, stripe.DeclineCodeDoNotTryAgain,
			},
			Decline{HardRevoked, Never, Bank, ItemBank, ShowGeneric, true, false},
		},
		{
			[]stripe.DeclineCode{
				stripe.DeclineCodeFraudulent, stripe.DeclineCodeLostCard, stripe.DeclineCodeStolenCard, stripe.DeclineCodePickupCard,
				stripe.DeclineCodeMerchantBlacklist,
			},
			Decline{FraudMasked, Never, Bank, ItemBank, ShowMasked, true, false},
		},
		{[]stripe.DeclineCode{stripe.DeclineCodeDuplicateTransaction}, Decline{Duplicate, Never, System, "", ShowCode, false, false}},
		{
			[]stripe.DeclineCode{
				stripe.DeclineCodeIncorrectPIN, stripe.DeclineCodeInvalidPIN, stripe.DeclineCodeOfflinePINRequired,
				stripe.DeclineCodeOnlineOrOfflinePINRequired, stripe.DeclineCodePINTryExceeded,
			},
			Decline{PIN, Never, Customer, "", ShowCode, false, false},
		},
		{[]stripe.DeclineCode{stripe.DeclineCodeNewAccountInformationAvailable}, Decline{Info, AfterUpdater, System, ItemNumber, ShowCode, false, false}},
		{[]stripe.DeclineCode{stripe.DeclineCodeTestModeDecline}, Decline{Test, Never, "", "", ShowCode, false, false}},
		{[]stripe.DeclineCode{"brand_new_code", ""}, Decline{IssuerSoft, Spaced, Bank, ItemBank, ShowGeneric, false, true}},
	} {
		for _, code := range test.codes {
			if got := Classify(string(code), "", Checks{}); got != test.want {
				t.Errorf("Classify(%s) = %+v, want %+v", code, got, test.want)
			}
		}
	}
}

// The taxonomy has a place for each code that the gateway's own library
// publishes, and for no other. The list is read from the library's source, so
// that a new version with a new code fails here.
func TestT1PublishedCodes(t *testing.T) {
	t.Parallel()
	published := constants(t, "error.go", "DeclineCode")
	if len(published) != 47 {
		t.Errorf("stripe-go publishes %d decline codes, want 47", len(published))
	}
	if got := Codes(); !slices.Equal(got, published) {
		t.Errorf("Codes() = %v, want %v", got, published)
	}
	advice := constants(t, "charge.go", "ChargeOutcomeAdviceCode")
	if got := AdviceCodes(); len(got) != 3 || !slices.Equal(got, advice) {
		t.Errorf("AdviceCodes() = %v, want %v", got, advice)
	}
}

// constants returns the values of the constants of a type in a file of
// stripe-go, sorted.
func constants(t *testing.T, file, typ string) []string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/stripe/stripe-go/v85").Output()
	if err != nil {
		t.Fatalf("find stripe-go: %v", err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typ {
			return true
		}
		for _, v := range spec.Values {
			if literal, ok := v.(*ast.BasicLit); ok {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
		}
		return true
	})
	slices.Sort(values)
	return values
}

func TestAdviceAndChecks(t *testing.T) {
	t.Parallel()
	confirm := string(stripe.ChargeOutcomeAdviceCodeConfirmCardData)
	never := string(stripe.ChargeOutcomeAdviceCodeDoNotTryAgain)
	later := string(stripe.ChargeOutcomeAdviceCodeTryAgainLater)
	for _, test := range []struct {
		name, code, advice string
		checks             Checks
		want               Decline
	}{
		{"a plain no, confirm", "generic_decline", confirm, Checks{}, Decline{DataNumber, AfterEdit, Customer, ItemNumber, ShowGeneric, false, false}},
		{"a plain no, never", "do_not_honor", never, Checks{}, Decline{HardRevoked, Never, Bank, ItemBank, ShowGeneric, true, false}},
		{"a plain no, later", "do_not_honor", later, Checks{}, Decline{Temporary, Soon, Time, "", ShowGeneric, false, false}},
		{"a refusal, later", "restricted_card", later, Checks{}, Decline{Temporary, Soon, Time, "", ShowGeneric, false, false}},
		{"expired, confirm", "expired_card", confirm, Checks{}, Decline{DataExpiry, AfterEdit, Customer, ItemExpiry, ShowCode, false, false}},
		{"expired, never", "expired_card", never, Checks{}, Decline{DataExpiry, Never, Customer, ItemExpiry, ShowCode, false, false}},
		{"no money, never", "insufficient_funds", never, Checks{}, Decline{Funds, Never, Customer, ItemBank, ShowCode, false, false}},
		{"no money, later", "insufficient_funds", later, Checks{}, Decline{Funds, Spaced, Customer, ItemBank, ShowCode, false, false}},
		{"stopped, later", "stop_payment_order", later, Checks{}, Decline{HardRevoked, Spaced, Bank, ItemBank, ShowGeneric, false, false}},
		{"stolen, later", "stolen_card", later, Checks{}, Decline{FraudMasked, Never, Bank, ItemBank, ShowMasked, true, false}},
		{"stolen, confirm", "stolen_card", confirm, Checks{}, Decline{FraudMasked, Never, Bank, ItemBank, ShowMasked, true, false}},
		{"unknown advice", "do_not_honor", "wait", Checks{}, Decline{IssuerSoft, Spaced, Bank, ItemBank, ShowGeneric, false, false}},
		{"unknown code, never", "new", never, Checks{}, Decline{HardRevoked, Never, Bank, ItemBank, ShowGeneric, true, true}},

		{"wrong street", "do_not_honor", "", Checks{Line1: Fail}, Decline{DataAddress, AfterEdit, Customer, ItemAddress, ShowGeneric, false, false}},
		{"wrong postal code", "generic_decline", "", Checks{Line1: Pass, Postal: Fail}, Decline{DataAddress, AfterEdit, Customer, ItemAddress, ShowGeneric, false, false}},
		{"wrong security code", "generic_decline", "", Checks{CVC: Fail}, Decline{DataCVC, AfterEdit, Customer, "", ShowGeneric, false, false}},
		{"wrong postal code, unknown", "new", "", Checks{Postal: Fail}, Decline{DataAddress, AfterEdit, Customer, ItemAddress, ShowGeneric, false, true}},
		{"wrong postal code, no money", "insufficient_funds", "", Checks{Postal: Fail}, Decline{Funds, Spaced, Customer, ItemBank, ShowCode, false, false}},
		{"wrong postal code, stolen", "stolen_card", "", Checks{Postal: Fail}, Decline{FraudMasked, Never, Bank, ItemBank, ShowMasked, true, false}},
		{"all right", "generic_decline", "", Checks{Pass, Pass, Pass}, Decline{IssuerSoft, Spaced, Bank, ItemBank, ShowGeneric, false, false}},
	} {
		if got := Classify(test.code, test.advice, test.checks); got != test.want {
			t.Errorf("%s: Classify(%s, %s, %v) = %+v, want %+v", test.name, test.code, test.advice, test.checks, got, test.want)
		}
	}
}

// The published editions are within their ranges, and what is not is refused.
func TestDunningTerms(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Dunning{"first": DunningPolicy.First, "two weeks": TwoWeeks(), "four retries": FourRetries(), "seven declines": SevenDeclines()} {
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, change := range []func(*Dunning){
		func(d *Dunning) { d.RetryDays = []int{3, 1} }, func(d *Dunning) { d.RetryDays = []int{0} }, func(d *Dunning) { d.SoonHours = []int{73} },
		func(d *Dunning) { d.SoftRetries = 9 }, func(d *Dunning) { d.GraceDays = 0 }, func(d *Dunning) { d.AcceleratedDays = 1 },
		func(d *Dunning) { d.DataDays = d.DisabledDays - 1 }, func(d *Dunning) { d.Limits = append(d.Limits, Limit{"visa", 1, 1}) },
		func(d *Dunning) { d.OtherLimit.Attempts = 0 }, func(d *Dunning) { d.Accelerated = []Class{"bad"} }, func(d *Dunning) { d.AnswerHours = 0 },
	} {
		d := DunningPolicy.First
		if change(&d); d.Validate() == nil {
			t.Errorf("%+v is valid", d)
		}
	}
}
