package notify_test

import (
	"fmt"
	"maps"

	"konto/internal/notify"
)

// variants are data for every branch of every template.
func variants() map[string][]string {
	out := map[string][]string{}
	for _, topic := range []map[string][]string{contactVariants(), peopleVariants(), cardVariants(), collectionVariants(), customerVariants(), webhookVariants()} {
		maps.Copy(out, topic)
	}
	return out
}

func contactVariants() map[string][]string {
	v := map[string][]string{
		notify.AlternateEmailInvalidated: {`{}`, ``},
		notify.AdminResetDone: {
			`{"adminId":"a","at":"2026-03-02T14:05:00Z","adminIsRecipient":true}`,
			`{"adminId":"a","at":"2026-03-02T14:05:00Z","adminIsRecipient":false}`,
		},
		notify.SecurityInfoReconfirm: {`{"dueAt":"2026-03-02T14:05:00Z"}`, `{}`},
		notify.LockoutForeseen:       {`{"dueAt":"2026-03-02T14:05:00Z"}`, `{}`},
	}
	for _, slot := range []string{"mobile", "alternateMobile", "office", "alternateEmail"} {
		v[notify.ContactCode] = append(v[notify.ContactCode],
			fmt.Sprintf(`{"slot":%q,"channel":"mail","verification":"v","expiresAt":"2026-03-02T14:05:00Z"}`, slot))
		v[notify.RecoveryCode] = append(v[notify.RecoveryCode],
			fmt.Sprintf(`{"slot":%q,"reset":"r","expiresAt":"2026-03-02T14:05:00Z"}`, slot))
		for _, change := range []string{"added", "changed", "removed"} {
			v[notify.SecurityContactChanged] = append(v[notify.SecurityContactChanged],
				fmt.Sprintf(`{"slot":%q,"change":%q,"at":"2026-03-02T14:05:00Z"}`, slot, change),
				fmt.Sprintf(`{"slot":%q,"change":%q,"at":"2026-03-02T14:05:00Z",
					"undo":{"change":"0195c1a2-7f3e-7aaa-8bbb-0123456789ab","until":"2026-03-05T14:05:00Z"}}`, slot, change))
		}
		for _, self := range []bool{true, false} {
			v[notify.RecoveryNotReady] = append(v[notify.RecoveryNotReady],
				fmt.Sprintf(`{"missing":[%q],"adminId":"a","adminIsRecipient":%t}`, slot, self),
				fmt.Sprintf(`{"missing":[%q,"phone"],"gate":"one","adminId":"a","adminIsRecipient":%t}`, slot, self),
				fmt.Sprintf(`{"missing":[%q,"phone","newer"],"adminId":"a","adminIsRecipient":%t}`, slot, self))
		}
	}
	return v
}

func peopleVariants() map[string][]string {
	return map[string][]string{
		notify.UserNameChanged: {
			`{"userName":"a@b.example","at":"2026-03-02T14:05:00Z"}`,
			`{"userName":{"$personal":{"subject":"x","value":"a@b.example"}}}`, `{"userName":{"$erased":{"subject":"x"}}}`,
			`{"primaryEmail":{"$personal":{"subject":"x","value":"a@b.example"}},"at":"2026-03-02T14:05:00Z"}`,
			`{"primaryEmail":{"$erased":{"subject":"x"}}}`,
		},
		notify.OrgProfileChanged: {
			`{"changed":["name"]}`,
			`{"changed":["name","address.line1","technicalContact","preferredLanguage","contactEmail","invoiceAttachment","newer"]}`,
		},
		notify.OffboardingItems: {
			`{"adminId":"a","cardIds":["c1"],"subscriptionIds":[],"dueAt":"2026-04-01T00:00:00Z"}`,
			`{"adminId":"a","cardIds":["c1","c2"],"subscriptionIds":["s1"],"dueAt":"2026-04-01T00:00:00Z"}`,
			`{"adminId":"a","subscriptionIds":["s1","s2"]}`,
		},
		notify.FormerUserAccess: {
			`{"adminId":"a","granteeId":"g","expiresAt":"2026-04-01T14:05:00Z","change":"granted"}`,
			`{"adminId":"a","granteeId":"g","expiresAt":"2026-04-01T14:05:00Z","change":"revoked"}`,
		},
		notify.ErasureDone:        {`{"at":"2026-03-02T14:05:00Z"}`},
		notify.ErasureBlocked:     {`{"at":"2026-03-02T14:05:00Z"}`},
		notify.SubjectAccessReady: {`{"exportId":"e","newer":{},"expiresAt":"2026-03-09T14:05:00Z"}`},
	}
}

func cardVariants() map[string][]string {
	const face = `"brand":"amex","last4":"0005","expMonth":1,"expYear":2030,"cardId":"c"`
	v := map[string][]string{
		notify.SubscriptionCancelled: {
			`{"subscriptionId":"s","endsAt":"2026-04-01T00:00:00Z","adminAccessUntil":"2026-06-30T00:00:00Z","dataUntil":"2026-07-30T00:00:00Z"}`,
			`{"subscriptionId":"s","endsAt":"2026-04-01T00:00:00Z","credit":true}`,
			`{"subscriptionId":"s","dataUntil":"2026-07-30T00:00:00Z","unpaidInvoice":"i"}`,
			`{"subscriptionId":"s"}`,
		},
		notify.SubscriptionReactivated: {`{"subscriptionId":"s"}`},
	}
	for _, change := range []string{"added", "edited", "updated", "replaced", "removed", "auto-updated", "expired-promoted", "backup-added"} {
		v[notify.CardChanged] = append(v[notify.CardChanged],
			fmt.Sprintf(`{"change":%q,%s,"subscriptionId":"s","newBrand":"visa","newLast4":"1881"}`, change, face))
	}
	v[notify.CardChanged] = append(v[notify.CardChanged],
		`{"change":"edited","last4":"0005","changed":["holderName","expMonth","expYear","billingAddress.line1","phone"]}`,
		`{"change":"auto-updated","brand":"unheardOf","last4":"0005","changed":["last4","brand"]}`)
	for _, subscriptions := range []string{`[]`, `["s1"]`, `["s1","s2"]`} {
		for _, owner := range []bool{true, false} {
			for _, days := range []int{0, 1, 60} {
				v[notify.CardExpiring] = append(v[notify.CardExpiring],
					fmt.Sprintf(`{%s,"days":%d,"subscriptionIds":%s,"ownerIsRecipient":%t}`, face, days, subscriptions, owner))
			}
			v[notify.CardExpired] = append(v[notify.CardExpired],
				fmt.Sprintf(`{%s,"subscriptionIds":%s,"ownerIsRecipient":%t}`, face, subscriptions, owner))
		}
		for _, reason := range []string{"expiring", "owner-left"} {
			v[notify.BackupCardRequested] = append(v[notify.BackupCardRequested],
				fmt.Sprintf(`{%s,"subscriptionIds":%s,"reason":%q}`, face, subscriptions, reason))
		}
	}
	for _, kind := range []string{"sold-to", "bill-to", "service-usage"} {
		v[notify.BillingAddressChanged] = append(v[notify.BillingAddressChanged],
			fmt.Sprintf(`{"kind":%q}`, kind), fmt.Sprintf(`{"kind":%q,"subscriptionId":"s","cardId":"c"}`, kind))
	}
	for _, status := range []string{"requested", "opened-by-support", "approved", "denied", "applied", "to-review", "subscription-ended", "paid-by-invoice"} {
		v[notify.InvoiceSwitchStatus] = append(v[notify.InvoiceSwitchStatus],
			fmt.Sprintf(`{"caseId":"k","subscriptionId":"s","status":%q}`, status),
			fmt.Sprintf(`{"caseId":"k","subscriptionId":"s","status":%q,"reason":"credit"}`, status))
	}
	return v
}

func collectionVariants() map[string][]string {
	const debt = `"amountMinor":1200,"currency":"EUR","subscriptionId":"sub","invoiceId":"inv"`
	v := map[string][]string{
		notify.CardDeclinedFinal: {
			`{"brand":"visa","last4":"4242","cardId":"c",` + debt + `}`,
			`{"brand":"visa","last4":"4242","cardId":"c",` + debt + `,"attempts":1,"graceUntil":"2026-04-01T14:05:00Z"}`,
			`{"brand":"visa","last4":"4242","cardId":"c",` + debt + `,"attempts":9,"graceUntil":"2026-04-01T14:05:00Z"}`,
		},
		notify.PaymentByHand: {
			`{"brand":"visa","last4":"4242","cardId":"c","limitMinor":1000,"graceUntil":"2026-04-01T14:05:00Z","ownerIsRecipient":true,` + debt + `}`,
			`{"brand":"visa","last4":"4242","cardId":"c","limitMinor":1000,"graceUntil":"2026-04-01T14:05:00Z",` + debt + `}`,
		},
		notify.ServiceRestored: {
			`{"subscriptionId":"sub","invoiceId":"inv","at":"2026-03-02T14:05:00Z"}`,
			`{"subscriptionId":"sub","invoiceId":"inv","at":"2026-03-02T14:05:00Z","from":"suspended","stillOff":"other"}`,
		},
	}
	for _, from := range []string{"retrying", "accelerated", "past_due", "chargeback", "suspended"} {
		for _, by := range []string{`"charge"`, `"charge","invoiced":true`, `"settlement"`, `"invoice-switch","invoiced":true`} {
			v[notify.ServiceRestored] = append(v[notify.ServiceRestored],
				fmt.Sprintf(`{"subscriptionId":"sub","invoiceId":"inv","at":"2026-03-02T14:05:00Z","from":%q,"by":%s}`, from, by))
		}
	}
	for _, mode := range []string{"chargeback", "edited", "updated", "presented"} {
		v[notify.CardDeclinedFinal] = append(v[notify.CardDeclinedFinal],
			fmt.Sprintf(`{"brand":"visa","last4":"4242","cardId":"c",%s,"attempts":2,"graceUntil":"2026-04-01T14:05:00Z","mode":%q}`, debt, mode),
			fmt.Sprintf(`{"brand":"visa","last4":"4242","cardId":"c",%s,"mode":%q}`, debt, mode))
	}
	for _, reason := range []string{"unpaid", "chargeback"} {
		v[notify.ServiceSuspended] = append(v[notify.ServiceSuspended],
			fmt.Sprintf(`{%s,"reason":%q}`, debt, reason),
			fmt.Sprintf(`{%s,"at":"2026-03-02T14:05:00Z","dataUntil":"2026-08-29T14:05:00Z","reason":%q}`, debt, reason))
	}
	for _, class := range classes() {
		for _, owner := range []bool{true, false} {
			v[notify.CardDeclined] = append(v[notify.CardDeclined], decline(class, "bank", owner))
		}
	}
	return v
}

func customerVariants() map[string][]string {
	const sides = `"partnerId":"p","customerId":"c"`
	v := map[string][]string{
		notify.CustomerAccountChanged: {
			`{"changed":["email"],"companyName":"Contoso","partnerId":"p"}`,
			`{"changed":["billingInfo.email","/billingInfo/defaultAddress/city","unheardOf"],"companyName":{"$personal":{"subject":"x","value":"Contoso"}}}`,
			`{"changed":["companyName"],"companyName":{"$erased":{"subject":"x"}}}`,
		},
		notify.PurchaseMade: {
			`{` + sides + `,"product":"x","amountMinor":1,"currency":"SEK","at":"2026-03-02T14:05:00Z"}`,
			`{` + sides + `,"product":"x","amountMinor":1,"currency":"SEK","at":"2026-03-02T14:05:00Z","capLeftMinor":0}`,
		},
	}
	for _, change := range []string{"proposed", "granted", "revoked", "expired"} {
		v[notify.PurchasePermissionChanged] = append(v[notify.PurchasePermissionChanged],
			fmt.Sprintf(`{%s,"change":%q,"resource":"r","action":"a"}`, sides, change),
			fmt.Sprintf(`{%s,"change":%q,"resource":"r","action":"a","capMinor":100,"currency":"DKK","expiresAt":"2026-12-31T00:00:00Z","products":["x","y"]}`, sides, change))
	}
	for _, change := range []string{"requested", "established", "ended"} {
		for _, kind := range []string{"reseller", "advisor", "syndication", "support", ""} {
			v[notify.RelationshipChanged] = append(v[notify.RelationshipChanged],
				fmt.Sprintf(`{%s,"change":%q,"type":%q}`, sides, change, kind))
		}
	}
	return v
}

func webhookVariants() map[string][]string {
	return map[string][]string{
		notify.WebhookFailed: {
			`{"endpointId":"h","host":"hooks.contoso.example","type":"card-declined","at":"2026-03-02T14:05:00Z"}`,
			`{"endpointId":"h"}`,
		},
		notify.WebhookDisabled: {`{"endpointId":"h","host":"hooks.contoso.example","at":"2026-03-02T14:05:00Z"}`, `{"endpointId":"h"}`},
	}
}
