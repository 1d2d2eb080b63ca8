package identity

import "konto/domain"

// levels are the values of the claim acr that are understood: the identifiers
// of NIST's assurance levels that login.gov documents, and those of OpenID
// Connect Extended Authentication Profile ACR Values 1.0, where a device that
// gives no key away is the third level's.
func levels() map[string]domain.Level {
	return map[string]domain.Level{
		aal + "1": 1, aal + "2": 2, aal + "3": 3,
		"phr": 2, "phrh": 3,
	}
}

const aal = "http://idmanagement.gov/ns/assurance/aal/"

// ACR returns the value of acr_values (OpenID Connect Core §3.1.2.1) by which a
// client asks the issuer for a sign-in of level l, 1 to 3; empty for others.
func ACR(l domain.Level) string {
	if l < 1 || l > domain.MaxLevel {
		return ""
	}
	return aal + string(rune('0'+l))
}

// level returns how surely somebody signed in by the claims acr and amr (OpenID
// Connect Core §2), 0 if they do not say. The issuer's judgement counts before
// the methods that it lists, which say nothing of how good a device is, and so
// never of the third level.
func level(acr, amr any) domain.Level {
	name, _ := acr.(string)
	if l, ok := levels()[name]; ok {
		return l
	}
	list, _ := amr.([]any)
	kinds := map[string]bool{}
	for _, m := range list {
		method, _ := m.(string)
		if method == "mfa" {
			return 2
		}
		if kind := kindOf(method); kind != "" {
			kinds[kind] = true
		}
	}
	return min(domain.Level(len(kinds)), 2)
}

// kindOf returns what kind of proof a method of RFC 8176 §2 is; empty for one
// that is none by itself, such as a place or a risk.
func kindOf(method string) string {
	switch method {
	case "kba", "pin", "pwd":
		return "known"
	case "hwk", "otp", "pop", "sc", "sms", "swk", "tel":
		return "possessed"
	case "face", "fpt", "iris", "retina", "vbm":
		return "inherent"
	}
	return ""
}
