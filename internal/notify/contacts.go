package notify

import (
	"errors"
	"time"

	"konto/domain"
	"konto/domain/securityinfo"
)

func contactTemplates() map[string]letter {
	return map[string]letter{
		ContactCode: {(*writer).contactCode, `{"slot":"alternateEmail","verification":"0192","expiresAt":"2026-03-02T14:05:00Z"}`},
		SecurityContactChanged: {(*writer).securityContactChanged, `{"slot":"mobile","change":"changed","at":"2026-03-02T14:05:00Z",
			"undo":{"change":"0195c1a2-7f3e-7aaa-8bbb-0123456789ab","until":"2026-03-05T14:05:00Z"}}`},
		AlternateEmailInvalidated: {(*writer).alternateEmailInvalidated, `{}`},
		RecoveryCode:              {(*writer).recoveryCode, `{"slot":"mobile","reset":"0192","expiresAt":"2026-03-02T14:05:00Z"}`},
		RecoveryNotReady:          {(*writer).recoveryNotReady, `{"missing":["mobile","alternateEmail"],"adminId":"admin-4","adminIsRecipient":true}`},
		LockoutForeseen:           {(*writer).lockoutForeseen, `{"dueAt":"2026-03-02T14:05:00Z"}`},
		AdminResetDone:            {(*writer).adminResetDone, `{"adminId":"admin-4","at":"2026-03-02T14:05:00Z","adminIsRecipient":true}`},
		SecurityInfoReconfirm:     {(*writer).securityInfoReconfirm, `{"dueAt":"2026-03-02T14:05:00Z"}`},
	}
}

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
		// Undo is in the message to the contact that was in use before, and in no other.
		Undo *struct {
			Change string    `json:"change"`
			Until  time.Time `json:"until"`
		} `json:"undo"`
	}

	recoveryData struct {
		Slot      string    `json:"slot"`
		Reset     string    `json:"reset"`
		ExpiresAt time.Time `json:"expiresAt"`
	}

	adminData struct {
		AdminID          string    `json:"adminId"`
		AdminIsRecipient bool      `json:"adminIsRecipient"`
		Missing          []string  `json:"missing"`
		Gate             string    `json:"gate"` // "one": either of what is missing is enough
		At               time.Time `json:"at"`
	}

	dueData struct {
		DueAt time.Time `json:"dueAt"`
	}
)

// contactCode is the only template that shows a code, and shows it only in
// the body: subjects are displayed on locked screens and kept in logs. It
// greets nobody by name, since the address may be mistyped and a stranger's.
func (w *writer) contactCode(p *page) error {
	d, err := decode[codeData](w.data)
	if err != nil {
		return err
	}
	lead, err := w.choice("contact_code.lead", d.Slot)
	if err != nil {
		return err
	}
	if d.Verification == "" || d.ExpiresAt.IsZero() {
		return errors.New("template data: verification and expiresAt must be set")
	}
	if now := w.r.cfg.Now; now != nil && !now().Before(d.ExpiresAt) {
		return errExpired
	}
	p.Greeting = w.t("common.greeting", nil)
	p.Code = w.r.cfg.Code(w.tenant, d.Verification)
	p.Subject = w.t("contact_code.subject", nil)
	p.Heading = w.t("contact_code.heading", nil)
	p.Lead = []string{w.t(lead, nil), w.t("contact_code.never_share", nil)}
	w.add(p, "valid_until", w.style.moment(d.ExpiresAt))
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.securityNotice(p, "contact_code.not_you")
	p.SMS = w.t("contact_code.sms", values{"Code": p.Code, "Clock": w.style.clock(d.ExpiresAt)})
	p.Voice = w.t("contact_code.voice", values{"Spoken": spoken(p.Code)})
	return nil
}

// securityContactChanged goes to the contacts that were verified before the
// change. It does not say what the new contact is, nor what the old one was.
func (w *writer) securityContactChanged(p *page) error {
	d, err := decode[contactData](w.data)
	if err != nil {
		return err
	}
	what, err := w.choice("security_contact_changed.what", d.Slot+"-"+d.Change)
	if err != nil {
		return err
	}
	p.Subject = w.t("security_contact_changed.subject", nil)
	p.Heading = w.t("security_contact_changed.heading", nil)
	p.Lead = []string{w.t(what, nil), w.t("security_contact_changed.was_you", nil)}
	w.addTime(p, "time", d.At)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.securityNotice(p, "security_contact_changed.not_you")
	p.SMS = w.t("security_contact_changed.sms", values{"What": p.Lead[0], "GlobalAdmin": w.role(domain.GlobalAdmin)})
	if d.Undo != nil {
		p.Lead = append(p.Lead, w.t("security_contact_changed.undo", nil))
		w.addTime(p, "undo_until", d.Undo.Until)
		w.act(p, "action.undo", w.r.cfg.Links.Undo, w.undoToken(d.Undo.Change))
		p.SMS = w.t("security_contact_changed.sms_undo", values{"What": p.Lead[0], "URL": p.Action.URL})
	}
	return nil
}

// undoToken returns what stands in the link that takes a change back.
func (w *writer) undoToken(change string) string {
	t := UndoToken{Tenant: w.tenant, Person: w.person, Change: change, Proof: w.r.cfg.Proof(w.tenant, securityinfo.UndoPurpose, change)}
	return t.String()
}

func (w *writer) alternateEmailInvalidated(p *page) error {
	p.Subject = w.t("alternate_email_invalidated.subject", nil)
	p.Heading = w.t("alternate_email_invalidated.heading", nil)
	p.Lead = []string{
		w.t("alternate_email_invalidated.why", nil),
		w.t("alternate_email_invalidated.what_for", nil),
		w.t("alternate_email_invalidated.next", nil),
	}
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.securityNotice(p, "alternate_email_invalidated.not_you")
	p.SMS = w.t("alternate_email_invalidated.sms", nil)
	return nil
}

// recoveryCode shows a code, as contactCode does, and names nobody either: the
// person who started the reset need not be the one who reads it.
func (w *writer) recoveryCode(p *page) error {
	d, err := decode[recoveryData](w.data)
	if err != nil {
		return err
	}
	if d.Slot == "" || d.Reset == "" || d.ExpiresAt.IsZero() {
		return errors.New("template data: slot, reset and expiresAt must be set")
	}
	if now := w.r.cfg.Now; now != nil && !now().Before(d.ExpiresAt) {
		return errExpired
	}
	p.Greeting = w.t("common.greeting", nil)
	// A reset has a code for each contact: the contact is part of what the
	// code is derived from.
	p.Code = w.r.cfg.Code(w.tenant, d.Reset+"/"+d.Slot)
	w.head(p, "recovery_code", values{
		"Code": p.Code, "Clock": w.style.clock(d.ExpiresAt), "GlobalAdmin": w.role(domain.GlobalAdmin),
	})
	p.Lead = []string{w.t("recovery_code.lead", nil), w.t("recovery_code.never_share", nil)}
	w.addTime(p, "valid_until", d.ExpiresAt)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.securityNotice(p, "recovery_code.not_you")
	p.Voice = w.t("recovery_code.voice", values{"Spoken": spoken(p.Code)})
	return nil
}

// whose is how a message addresses its recipient: as the person it is about,
// or as somebody who looks after that person's account.
func whose(isRecipient bool) string {
	if isRecipient {
		return "self"
	}
	return "other"
}

func (w *writer) recoveryNotReady(p *page) error {
	d, err := decode[adminData](w.data)
	if err != nil {
		return err
	}
	who := whose(d.AdminIsRecipient)
	p.Subject = w.t("recovery_not_ready.subject."+who, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("recovery_not_ready.what."+who, nil), w.t("recovery_not_ready.next."+who, nil)}
	if !d.AdminIsRecipient {
		w.add(p, "account", d.AdminID)
	}
	heading := "recovery_not_ready.missing"
	if d.Gate == "one" {
		heading = "recovery_not_ready.either"
	}
	w.list(p, w.t(heading, nil), w.names("slot", d.Missing)...)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, d.AdminID)
	p.SMS = w.t("recovery_not_ready.sms."+who, nil)
	return nil
}

func (w *writer) adminResetDone(p *page) error {
	d, err := decode[adminData](w.data)
	if err != nil {
		return err
	}
	who := whose(d.AdminIsRecipient)
	p.Subject = w.t("admin_reset_done.subject."+who, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("admin_reset_done.what."+who, nil), w.t("admin_reset_done.next."+who, nil)}
	w.addTime(p, "time", d.At)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, d.AdminID)
	w.securityNotice(p, "admin_reset_done.not_you."+who)
	if !d.AdminIsRecipient {
		w.add(p, "account", d.AdminID)
		w.act(p, "action.account", w.r.cfg.Links.Admin, d.AdminID)
		p.NoticeTitle = w.t("admin_reset_done.unconfirmed", nil)
	}
	p.SMS = w.t("admin_reset_done.sms."+who, values{"GlobalAdmin": w.role(domain.GlobalAdmin)})
	return nil
}

func (w *writer) lockoutForeseen(p *page) error {
	d, err := decode[dueData](w.data)
	if err != nil {
		return err
	}
	role := values{"GlobalAdmin": w.role(domain.GlobalAdmin)}
	w.head(p, "lockout_foreseen", role)
	p.Lead = []string{w.t("lockout_foreseen.why", role), w.t("lockout_foreseen.next", role)}
	w.addDay(p, "due", d.DueAt)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.notExpected(p, "lockout_foreseen.not_you")
	return nil
}

func (w *writer) securityInfoReconfirm(p *page) error {
	d, err := decode[dueData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "security_info_reconfirm", nil)
	p.Lead = []string{w.t("security_info_reconfirm.why", nil), w.t("security_info_reconfirm.next", nil)}
	w.addDay(p, "due", d.DueAt)
	w.act(p, "action.security_info", w.r.cfg.Links.SecurityInfo, w.person)
	w.notExpected(p, "security_info_reconfirm.not_you")
	return nil
}
