package collection

// ofClass returns what a decline of class c means, unless its code says
// otherwise. Revoked cards are collected on the short schedule as fraud is:
// neither can be charged again (rule C9).
func ofClass(c Class) Decline {
	switch c {
	case DataNumber:
		return Decline{Class: c, Retry: Never, WhoFixes: Customer, ChecklistItem: ItemNumber, Show: ShowCode}
	case DataExpiry:
		return Decline{Class: c, Retry: Never, WhoFixes: Customer, ChecklistItem: ItemExpiry, Show: ShowCode}
	case DataAddress:
		return Decline{Class: c, Retry: AfterEdit, WhoFixes: Customer, ChecklistItem: ItemAddress, Show: ShowCode}
	case DataCVC:
		return Decline{Class: c, Retry: AfterEdit, WhoFixes: Customer, Show: ShowCode}
	case Funds:
		return Decline{Class: c, Retry: Spaced, WhoFixes: Customer, ChecklistItem: ItemBank, Show: ShowCode}
	case Temporary:
		return Decline{Class: c, Retry: Soon, WhoFixes: Time, Show: ShowCode}
	case Auth:
		return Decline{Class: c, Retry: WithCustomer, WhoFixes: Customer, Show: ShowCode}
	case Capability:
		return Decline{Class: c, Retry: Never, WhoFixes: Bank, ChecklistItem: ItemBank, Show: ShowCode}
	case HardRevoked:
		return Decline{Class: c, Retry: Never, WhoFixes: Bank, ChecklistItem: ItemBank, Show: ShowGeneric, Accelerated: true}
	case FraudMasked:
		return Decline{Class: c, Retry: Never, WhoFixes: Bank, ChecklistItem: ItemBank, Show: ShowMasked, Accelerated: true}
	case Duplicate:
		return Decline{Class: c, Retry: Never, WhoFixes: System, Show: ShowCode}
	case PIN:
		return Decline{Class: c, Retry: Never, WhoFixes: Customer, Show: ShowCode}
	case Info:
		return Decline{Class: c, Retry: AfterUpdater, WhoFixes: System, ChecklistItem: ItemNumber, Show: ShowCode}
	case Test:
		return Decline{Class: c, Retry: Never, Show: ShowCode}
	case IssuerSoft:
	}
	return Decline{Class: IssuerSoft, Retry: Spaced, WhoFixes: Bank, ChecklistItem: ItemBank, Show: ShowGeneric}
}

// meanings is what each published decline code means: the 47 constants of
// stripe-go v85 and no other. Public lists of codes that are not worth a retry
// (GOV.UK Pay, Polar) agree with the classes; where they disagree with each
// other, as on do_not_honor and not_permitted, a few spaced attempts are made.
var meanings = codes()

func codes() map[string]Decline {
	never := func(d Decline) Decline {
		d.Retry = Never
		return d
	}
	return map[string]Decline{
		"incorrect_number": ofClass(DataNumber),
		"invalid_account":  ofClass(DataNumber),
		"invalid_number":   ofClass(DataNumber),

		"expired_card":         ofClass(DataExpiry),
		"invalid_expiry_month": ofClass(DataExpiry),
		"invalid_expiry_year":  ofClass(DataExpiry),

		"incorrect_zip": ofClass(DataAddress),

		"incorrect_cvc": ofClass(DataCVC),
		"invalid_cvc":   ofClass(DataCVC),

		"card_velocity_exceeded":          ofClass(Funds),
		"insufficient_funds":              ofClass(Funds),
		"withdrawal_count_limit_exceeded": ofClass(Funds),

		"call_issuer":             ofClass(IssuerSoft),
		"do_not_honor":            ofClass(IssuerSoft),
		genericDecline:            ofClass(IssuerSoft),
		"no_action_taken":         ofClass(IssuerSoft),
		"not_permitted":           ofClass(IssuerSoft),
		"restricted_card":         never(ofClass(IssuerSoft)),
		"security_violation":      never(ofClass(IssuerSoft)),
		"service_not_allowed":     ofClass(IssuerSoft),
		"transaction_not_allowed": ofClass(IssuerSoft),

		"approve_with_id":      ofClass(Temporary),
		"issuer_not_available": ofClass(Temporary),
		"processing_error":     ofClass(Temporary),
		"reenter_transaction":  ofClass(Temporary),
		"try_again_later":      ofClass(Temporary),

		"authentication_required": ofClass(Auth),

		"card_not_supported":     ofClass(Capability),
		"currency_not_supported": ofClass(Capability),
		"invalid_amount":         ofClass(Capability),

		"do_not_try_again":                 ofClass(HardRevoked),
		"revocation_of_all_authorizations": ofClass(HardRevoked),
		"revocation_of_authorization":      ofClass(HardRevoked),
		"stop_payment_order":               ofClass(HardRevoked),

		"fraudulent":         ofClass(FraudMasked),
		"lost_card":          ofClass(FraudMasked),
		"merchant_blacklist": ofClass(FraudMasked),
		"pickup_card":        ofClass(FraudMasked),
		"stolen_card":        ofClass(FraudMasked),

		"duplicate_transaction": ofClass(Duplicate),

		"incorrect_pin":                  ofClass(PIN),
		"invalid_pin":                    ofClass(PIN),
		"offline_pin_required":           ofClass(PIN),
		"online_or_offline_pin_required": ofClass(PIN),
		"pin_try_exceeded":               ofClass(PIN),

		"new_account_information_available": ofClass(Info),

		"testmode_decline": ofClass(Test),
	}
}
