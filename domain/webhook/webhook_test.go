package webhook_test

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/webhook"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A world is what surrounds a decision about an endpoint.
type world struct {
	after       time.Duration // since start
	development bool
	overlap     []domain.Version[SecretTerms]
	limit       []domain.Version[LimitTerms]
}

func (w world) meta(cmd any) Meta {
	m := Meta{
		ID: "hook", Tenant: "contoso", At: start.Add(w.after), Command: "c2",
		Actor: domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}},
	}
	if needer, ok := cmd.(domain.Needer); ok {
		for _, n := range needer.Needs(m) {
			switch n {
			case domain.Of[Site](""):
				m.Facts = m.Facts.Knows(n, Site{Development: w.development})
			case LimitPolicy.Need():
				m.Facts = m.Facts.Knows(n, domain.Terms[LimitTerms]{Name: n.Key, Versions: w.limit})
			default:
				m.Facts = m.Facts.Knows(n, domain.Terms[SecretTerms]{Name: n.Key, Versions: w.overlap})
			}
		}
	}
	return m
}

type row struct {
	name  string
	world world
	given []Event
	when  domain.Command[Endpoint]
	then  []Event
	err   error
}

func run(t *testing.T, rows []row) {
	t.Helper()
	t.Parallel()
	var cases []domaintest.Case[Endpoint]
	for _, r := range rows {
		cases = append(cases, domaintest.Case[Endpoint]{Name: r.name, Given: r.given, When: r.when, Meta: r.world.meta(r.when), Then: r.then, Err: r.err})
	}
	domaintest.Run(t, Aggregate, cases)
}

const address = "https://hooks.contoso.com/konto"

func registered(events ...string) []Event {
	return []Event{WebhookEndpointRegistered{URL: address, Events: events, Secret: "c1", At: start}}
}

func then(given []Event, more ...Event) []Event { return append(slices.Clip(given), more...) }

func TestRegister(t *testing.T) {
	register := func(url string, events ...string) RegisterWebhookEndpoint {
		return RegisterWebhookEndpoint{URL: url, Events: events}
	}
	made := func(url string, events ...string) []Event {
		return []Event{WebhookEndpointRegistered{URL: url, Events: events, Secret: "c2", At: start}}
	}
	rows := []row{
		{name: "P11: one type", when: register(address, "card-declined"), then: made(address, "card-declined")},
		{name: "P11: several types are kept in order", when: register(address, "purchase-made", "card-declined"), then: made(address, "card-declined", "purchase-made")},
		{name: "P11: all types", when: register(address, All), then: made(address, All)},
		{name: "P11: a port, a path and a query", when: register("https://a.contoso.com:8443/x?y=z", All), then: made("https://a.contoso.com:8443/x?y=z", All)},
		{name: "P11: a public IPv4 address", when: register("https://93.184.216.34/x", All), then: made("https://93.184.216.34/x", All)},
		{name: "P11: a public IPv6 address", when: register("https://[2606:2800:220:1::1]/x", All), then: made("https://[2606:2800:220:1::1]/x", All)},
		{name: "P11: an ID is used once", given: registered(All), when: register(address, All), err: ErrExists},
		{name: "P11: a removed ID is not used again", given: then(registered(All), WebhookEndpointRemoved{At: start}), when: register(address, All), err: ErrRemoved},
		{name: "P11: no type", when: register(address), err: ErrEvents},
		{name: "P11: an unknown type", when: register(address, "card-eaten"), err: ErrEvents},
		{name: "P11: a type twice", when: register(address, "card-added", "card-added"), err: ErrEvents},
		{name: "P11: all types and one more", when: register(address, All, "card-added"), err: ErrEvents},
		{name: "P11: address and types are both refused at once", when: register("x", "y"), err: ErrURL},
		{name: "P11: and the types, too", when: register("x", "y"), err: ErrEvents},
		{name: "P11: without TLS", when: register("http://hooks.contoso.com", All), err: ErrNotHTTPS},
		{name: "P11: without TLS in development", world: world{development: true}, when: register("http://localhost:9/x", All), then: made("http://localhost:9/x", All)},
		{name: "P11: a private address in development", world: world{development: true}, when: register("https://10.0.0.1", All), then: made("https://10.0.0.1", All)},
		{name: "P11: no URL in development", world: world{development: true}, when: register("ftp://localhost", All), err: ErrNotHTTPS},
		{name: "P11: FTP is no way to be called", when: register("ftp://hooks.contoso.com/", All), err: ErrNotHTTPS},
		{name: "P11: the highest port", when: register("https://a.contoso.com:65535/", All), then: made("https://a.contoso.com:65535/", All)},
		{name: "P11: a port that there is not", when: register("https://a.contoso.com:65536/", All), err: ErrPort},
		{name: "P11: port 99999", when: register("https://x.example:99999/", All), err: ErrPort},
		{name: "P11: port 0", when: register("https://a.contoso.com:0/", All), err: ErrPort},
		{name: "P11: 2,048 bytes", when: register("https://a.contoso.com/"+strings.Repeat("x", 2026), All), then: made("https://a.contoso.com/"+strings.Repeat("x", 2026), All)},
		{name: "P11: 2,049 bytes", when: register("https://a.contoso.com/"+strings.Repeat("x", 2027), All), err: ErrURL},
	}
	for name, url := range map[string]string{
		"nothing": "", "no scheme": "hooks.contoso.com", "no host": "https:///x", "opaque": "https:hooks.contoso.com",
		"a user": "https://me:secret@hooks.contoso.com", "a fragment": "https://hooks.contoso.com/#x", "an empty fragment": "https://hooks.contoso.com/#",
		"a control character": "https://hooks.contoso.com/\x00", "a broken escape": "https://hooks.contoso.com/%zz", "a port alone": "https://:443/",
	} {
		rows = append(rows, row{name: "P11: an address with " + name, when: register(url, All), err: ErrURL})
	}
	for _, host := range []string{
		"127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
		"192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]",
		"[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[2001::1]", "[100::1]",
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "intranet", "printer.local", "db.internal", "nas.lan", "x.home", "x.invalid", "x.onion", "10.in-addr.arpa",
		"2130706433", "127.1", "0x7f.1", "0x7f000001", "0177.0.0.1",
	} {
		rows = append(rows, row{name: "P11: " + host + " is not public", when: register("https://"+host+"/x", All), err: ErrPrivate})
	}
	run(t, rows)
}

// Who names a wrong type is told which, and what there is that is like it.
func TestP11_UnknownTypesAreNamed(t *testing.T) {
	for _, c := range []struct{ events, has, hasNot string }{
		{"card-added card-eaten", `there is no type "card-eaten"; there are card-added, `, "invoice"},
		{"weather", `there is no type "weather"; types are called admin-…, card-…, `, "card-added"},
		{"<script>", "there is no type of that name; ", "<"},
		{"card-added card-added", "the type card-added is named twice", "there is no"},
	} {
		cmd := RegisterWebhookEndpoint{URL: address, Events: strings.Fields(c.events)}
		_, err := cmd.Decide(Endpoint{}, world{}.meta(cmd))
		var refused *domain.Error
		if !errors.As(err, &refused) || refused.Code != ErrEvents.Code || refused.Pointer != "/events" ||
			!strings.Contains(refused.Detail, c.has) || strings.Contains(refused.Detail, c.hasNot) {
			t.Errorf("%s: %v, want %q, and no %q", c.events, err, c.has, c.hasNot)
		}
	}
}

func TestChange(t *testing.T) {
	other := "https://other.contoso.com"
	run(t, []row{
		{name: "P11: another address", given: registered(All), when: ChangeWebhookEndpoint{URL: &other}, then: []Event{WebhookEndpointChanged{URL: other, Events: []string{All}, At: start}}},
		{name: "P11: other types", given: registered(All), when: ChangeWebhookEndpoint{Events: []string{"card-added", "card-declined"}}, then: []Event{WebhookEndpointChanged{URL: address, Events: []string{"card-added", "card-declined"}, At: start}}},
		{name: "P11: both", given: registered(All), when: ChangeWebhookEndpoint{URL: &other, Events: []string{"card-added"}}, then: []Event{WebhookEndpointChanged{URL: other, Events: []string{"card-added"}, At: start}}},
		{name: "P11: a disabled one is changed, too", given: then(registered(All), WebhookEndpointDisabled{Why: ByPerson, At: start}), when: ChangeWebhookEndpoint{URL: &other}, then: []Event{WebhookEndpointChanged{URL: other, Events: []string{All}, At: start}}},
		{name: "P11: to what it is", given: registered(All), when: ChangeWebhookEndpoint{URL: new(address), Events: []string{All}}},
		{name: "P11: nothing is said to change", given: registered(All), when: ChangeWebhookEndpoint{}, err: ErrNothing},
		{name: "P11: to a private address", given: registered(All), when: ChangeWebhookEndpoint{URL: new("https://10.0.0.1")}, err: ErrPrivate},
		{name: "P11: to one without TLS", given: registered(All), when: ChangeWebhookEndpoint{URL: new("http://hooks.contoso.com")}, err: ErrNotHTTPS},
		{name: "P11: to no address", given: registered(All), when: ChangeWebhookEndpoint{URL: new("")}, err: ErrURL},
		{name: "P11: to an unknown type", given: registered(All), when: ChangeWebhookEndpoint{Events: []string{"weather"}}, err: ErrEvents},
		{name: "P11: to no type", given: registered(All), when: ChangeWebhookEndpoint{URL: &other, Events: []string{}}, then: []Event{WebhookEndpointChanged{URL: other, Events: []string{All}, At: start}}},
		{name: "P11: one that is not there is not changed", when: ChangeWebhookEndpoint{URL: &other}, err: ErrNotFound},
		{name: "P11: a removed one is not changed", given: then(registered(All), WebhookEndpointRemoved{At: start}), when: ChangeWebhookEndpoint{URL: &other}, err: ErrRemoved},
	})
}

func TestRotate(t *testing.T) {
	const day = 24 * time.Hour
	rotated := func(at, until time.Duration, previous string) []Event {
		return []Event{WebhookSecretRotated{Secret: "c2", Previous: previous, PreviousUntil: start.Add(until), At: start.Add(at)}}
	}
	twice := then(registered(All), WebhookSecretRotated{Secret: "c1b", Previous: "c1", PreviousUntil: start.Add(day), At: start})
	run(t, []row{
		{name: "N21, P11: the old secret stays valid for a day", given: registered(All), when: RotateWebhookSecret{}, then: rotated(0, day, "c1")},
		{name: "N21, P11: or for as long as the policy says", world: world{overlap: []domain.Version[SecretTerms]{{Number: 2, EffectiveAt: start, Rules: SecretTerms{OverlapHours: 2}}}}, given: registered(All), when: RotateWebhookSecret{}, then: rotated(0, 2*time.Hour, "c1")},
		{name: "N21, P11: a leaked secret ends at once", given: registered(All), when: RotateWebhookSecret{EndOld: true}, then: rotated(0, 0, "c1")},
		{name: "N21, P11: a second rotation ends the first secret", world: world{after: time.Hour}, given: twice, when: RotateWebhookSecret{}, then: rotated(time.Hour, 25*time.Hour, "c1b")},
		{name: "N21, P11: a disabled endpoint's secret is rotated, too", given: then(registered(All), WebhookEndpointDisabled{Why: Gone, At: start}), when: RotateWebhookSecret{}, then: rotated(0, day, "c1")},
		{name: "N21, P11: no endpoint has no secret", when: RotateWebhookSecret{}, err: ErrNotFound},
		{name: "N21, P11: a removed endpoint has no secret", given: then(registered(All), WebhookEndpointRemoved{At: start}), when: RotateWebhookSecret{}, err: ErrRemoved},
	})
}

func TestDisableEnableRemove(t *testing.T) {
	disabled := then(registered(All), WebhookEndpointDisabled{Why: ByPerson, At: start})
	removed := then(registered(All), WebhookEndpointRemoved{At: start})
	moved := then(registered(All), WebhookEndpointChanged{URL: "https://b.contoso.com", Events: []string{All}, At: start.Add(time.Hour)})
	run(t, []row{
		{name: "P11: disabled", given: registered(All), when: DisableWebhookEndpoint{}, then: []Event{WebhookEndpointDisabled{Why: ByPerson, At: start}}},
		{name: "P11: disabled twice", given: disabled, when: DisableWebhookEndpoint{}},
		{name: "P11: one that is not there is not disabled", when: DisableWebhookEndpoint{}, err: ErrNotFound},
		{name: "P11: a removed one is not disabled", given: removed, when: DisableWebhookEndpoint{}, err: ErrRemoved},
		{name: "P11: enabled", given: disabled, when: EnableWebhookEndpoint{}, then: []Event{WebhookEndpointEnabled{At: start}}},
		{name: "P11: enabled already", given: registered(All), when: EnableWebhookEndpoint{}},
		{name: "P11: one that is not there is not enabled", when: EnableWebhookEndpoint{}, err: ErrNotFound},
		{name: "P11: a removed one is not enabled", given: removed, when: EnableWebhookEndpoint{}, err: ErrRemoved},
		{name: "P11: gone", world: world{after: time.Minute}, given: registered(All), when: DisableGoneWebhookEndpoint{CalledAt: start}, then: []Event{WebhookEndpointDisabled{Why: Gone, At: start.Add(time.Minute)}}},
		{name: "P11: gone, but it is elsewhere by now", given: moved, when: DisableGoneWebhookEndpoint{CalledAt: start.Add(time.Minute)}},
		{name: "P11: gone where it is now", world: world{after: 2 * time.Hour}, given: moved, when: DisableGoneWebhookEndpoint{CalledAt: start.Add(time.Hour)}, then: []Event{WebhookEndpointDisabled{Why: Gone, At: start.Add(2 * time.Hour)}}},
		{name: "P11: gone, but only its types changed since", world: world{after: 2 * time.Hour}, given: then(registered(All), WebhookEndpointChanged{URL: address, Events: []string{"card-added"}, At: start.Add(time.Hour)}), when: DisableGoneWebhookEndpoint{CalledAt: start}, then: []Event{WebhookEndpointDisabled{Why: Gone, At: start.Add(2 * time.Hour)}}},
		{name: "P11: gone, but somebody enabled it since", given: then(disabled, WebhookEndpointEnabled{At: start.Add(time.Hour)}), when: DisableGoneWebhookEndpoint{CalledAt: start}},
		{name: "P11: gone and disabled", given: disabled, when: DisableGoneWebhookEndpoint{CalledAt: start}},
		{name: "P11: gone and removed", given: removed, when: DisableGoneWebhookEndpoint{CalledAt: start}},
		{name: "P11: removed", given: registered(All), when: RemoveWebhookEndpoint{}, then: []Event{WebhookEndpointRemoved{At: start}}},
		{name: "P11: a disabled one is removed", given: disabled, when: RemoveWebhookEndpoint{}, then: []Event{WebhookEndpointRemoved{At: start}}},
		{name: "P11: removed twice", given: removed, when: RemoveWebhookEndpoint{}},
		{name: "P11: one that is not there is not removed", when: RemoveWebhookEndpoint{}, err: ErrNotFound},
	})
}

// Which secrets sign depends on the time of the call.
func TestN21_SecretsOverlap(t *testing.T) {
	t.Parallel()
	e := Endpoint{Secret: "new", Previous: "old", ValidTill: start}
	for _, c := range []struct {
		at   time.Time
		want []string
	}{
		{start.Add(-time.Second), []string{"new", "old"}}, {start, []string{"new"}}, {start.Add(time.Second), []string{"new"}},
	} {
		if got := e.Secrets(c.at); !slices.Equal(got, c.want) {
			t.Errorf("Secrets(%s) = %v, want %v", c.at, got, c.want)
		}
	}
	if got := (Endpoint{Secret: "only"}).Secrets(start); !slices.Equal(got, []string{"only"}) {
		t.Errorf("Secrets = %v, want the only one", got)
	}
}

func TestSecretTerms(t *testing.T) {
	t.Parallel()
	for hours, ok := range map[int]bool{0: false, 1: true, 720: true, 721: false, -1: false} {
		if err := (SecretTerms{OverlapHours: hours}).Validate(); (err == nil) != ok {
			t.Errorf("an overlap of %d h: %v, want valid = %v", hours, err, ok)
		}
	}
}

// Names of types are {resource}-{action}, and the channel's own are among them.
func TestP11_Types(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	all := Types()
	for _, name := range all {
		if !form.MatchString(name) {
			t.Errorf("%q is not {resource}-{action}", name)
		}
	}
	for _, name := range []string{"card-declined", "purchase-permission-changed", "purchase-made", "customer-updated", "subscription-canceled"} {
		if !slices.Contains(all, name) {
			t.Errorf("there is no type %q", name)
		}
	}
	if got := TypeOf("collection", "ChargeDeclined"); got != "card-declined" {
		t.Errorf("TypeOf(ChargeDeclined) = %q", got)
	}
	for _, category := range []string{"delivery", "webhook", "notif", "resv", "inlet", "rejections"} {
		if slices.Contains(Categories(), category) {
			t.Errorf("calls tell of %s, which is our own business", category)
		}
	}
	if Wants([]string{"card-added"}, "card-declined") || !Wants([]string{All}, "card-declined") || !Wants([]string{"card-added"}, "card-added") {
		t.Error("Wants is mistaken")
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "100.128.0.1": true, "172.32.0.1": true,
		"127.0.0.1": false, "::ffff:127.0.0.1": false, "169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "100.127.255.255": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("Public(%s) = %v, want %v", address, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
	if Public(netip.MustParseAddr("2606:4700::1111%eth0")) {
		t.Error("an address of one interface is public")
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	if got := Host("https://hooks.contoso.com:8443/secret?key=1"); got != "hooks.contoso.com" {
		t.Errorf("Host = %q", got)
	}
	if got := Host(":"); got != "" {
		t.Errorf("Host of no address = %q", got)
	}
}

// An endpoint holds one of the places that its organization has.
func TestN22_Places(t *testing.T) {
	t.Parallel()
	cmd := RegisterWebhookEndpoint{URL: address, Events: []string{All}}
	for name, c := range map[string]struct {
		limit []domain.Version[LimitTerms]
		want  []string
	}{
		"N22: 20 places, if nobody says otherwise": {nil, strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20")},
		"N22: as many as another version says":     {[]domain.Version[LimitTerms]{{Number: 2, EffectiveAt: start, Rules: LimitTerms{Endpoints: 3}}}, []string{"1", "2", "3"}},
		"N22: one place":                           {[]domain.Version[LimitTerms]{{Number: 2, EffectiveAt: start, Rules: LimitTerms{Endpoints: 1}}}, []string{"1"}},
		"N22: a version that is not in force yet":  {[]domain.Version[LimitTerms]{{Number: 2, EffectiveAt: start.Add(time.Hour), Rules: LimitTerms{Endpoints: 1}}}, strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20")},
	} {
		got := cmd.Reserves(world{limit: c.limit}.meta(cmd))
		if len(got) != 1 || got[0].Kind != Places || got[0].Scope != "contoso" || !slices.Equal(append([]string{got[0].Key}, got[0].Else...), c.want) {
			t.Errorf("%s: reserves %+v, want one of %v", name, got, c.want)
			continue
		}
		if refused := got[0].Taken("another"); !refused.Is(ErrTooMany) || refused.Facts["limit"] != len(c.want) {
			t.Errorf("%s: refused with %+v, want the limit", name, refused)
		}
	}
	for n, ok := range map[int]bool{0: false, 1: true, 100: true, 101: false, -1: false} {
		if err := (LimitTerms{Endpoints: n}).Validate(); (err == nil) != ok {
			t.Errorf("N22: %d endpoints: %v, want valid = %v", n, err, ok)
		}
	}
}
