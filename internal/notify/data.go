package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"konto/domain"
)

// words is a string in template data, plain or as an opened personal value. A
// value whose subject was erased reads as empty.
type words string

// UnmarshalJSON reads a string, a [domain.Personal] of one, or null.
func (w *words) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var p domain.Personal[string]
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		if p.Sealed != nil {
			return errors.New("a personal value is still sealed")
		}
		*w = words(p.Value)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*w = words(s)
	return nil
}

// The data of the templates. Fields that are not listed are ignored: the
// reaction that wrote them may be newer.
type (
	codeData struct {
		Slot         string    `json:"slot"`
		Verification string    `json:"verification"`
		ExpiresAt    time.Time `json:"expiresAt"`
	}

	contactData struct {
		Slot   string    `json:"slot"`
		Change string    `json:"change"`
		At     time.Time `json:"at"`
	}

	cardData struct {
		Brand          string `json:"brand"`
		Last4          string `json:"last4"`
		ExpMonth       int    `json:"expMonth"`
		ExpYear        int    `json:"expYear"`
		CardID         string `json:"cardId"`
		SubscriptionID string `json:"subscriptionId"`
	}

	declineData struct {
		cardData
		AmountMinor      int64  `json:"amountMinor"`
		Currency         string `json:"currency"`
		Class            string `json:"class"`
		ChecklistItem    string `json:"checklistItem"`
		Code             string `json:"code"`
		InvoiceID        string `json:"invoiceId"`
		Attempt          int    `json:"attempt"`
		OwnerIsRecipient bool   `json:"ownerIsRecipient"`
	}

	cardChangeData struct {
		cardData
		Change   string   `json:"change"`
		Changed  []string `json:"changed"`
		NewBrand string   `json:"newBrand"`
		NewLast4 string   `json:"newLast4"`
	}

	customerData struct {
		CompanyName words    `json:"companyName"`
		PartnerID   string   `json:"partnerId"`
		CustomerID  string   `json:"customerId"`
		Changed     []string `json:"changed"`
	}
)

// decode reads template data. No data at all is an empty object.
func decode[T any](b json.RawMessage) (T, error) {
	var v T
	if len(bytes.TrimSpace(b)) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("template data: %w", err)
	}
	return v, nil
}

// check refuses a card that cannot be named. Last4 goes into a subject, where
// nothing but four digits may.
func (c cardData) check() error {
	if len(c.Last4) != 4 || !digitsOnly(c.Last4) {
		return errors.New("template data: last4 must be four digits")
	}
	return nil
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
