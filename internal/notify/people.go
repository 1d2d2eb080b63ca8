package notify

import (
	"errors"
	"time"

	"konto/domain"
)

func peopleTemplates() map[string]letter {
	return map[string]letter{
		UserNameChanged:    {(*writer).userNameChanged, `{"userName":"asa@contoso.example","at":"2026-03-02T14:05:00Z"}`},
		OrgProfileChanged:  {(*writer).orgProfileChanged, `{"changed":["address.city","phone"]}`},
		OffboardingItems:   {(*writer).offboardingItems, `{"adminId":"admin-4","cardIds":["card-9"],"subscriptionIds":["sub-7","sub-8"],"dueAt":"2026-04-01T00:00:00Z"}`},
		FormerUserAccess:   {(*writer).formerUserAccess, `{"adminId":"admin-4","granteeId":"admin-5","expiresAt":"2026-04-01T14:05:00Z","change":"granted"}`},
		ErasureDone:        {(*writer).erasureDone, `{"at":"2026-03-02T14:05:00Z"}`},
		ErasureBlocked:     {(*writer).erasureBlocked, `{"at":"2026-03-02T14:05:00Z"}`},
		SubjectAccessReady: {(*writer).subjectAccessReady, `{"expiresAt":"2026-03-09T14:05:00Z"}`},
	}
}

type (
	userNameData struct {
		UserName words `json:"userName"`
		// PrimaryEmail is there if not the name changed but where mail goes.
		PrimaryEmail *words    `json:"primaryEmail"`
		At           time.Time `json:"at"`
	}

	changedData struct {
		Changed []string `json:"changed"`
	}

	offboardingData struct {
		AdminID         string    `json:"adminId"`
		CardIDs         []string  `json:"cardIds"`
		SubscriptionIDs []string  `json:"subscriptionIds"`
		DueAt           time.Time `json:"dueAt"`
	}

	accessData struct {
		AdminID   string    `json:"adminId"`
		GranteeID string    `json:"granteeId"`
		ExpiresAt time.Time `json:"expiresAt"`
		Change    string    `json:"change"`
	}

	momentData struct {
		At time.Time `json:"at"`
	}

	exportData struct {
		ExpiresAt time.Time `json:"expiresAt"`
	}
)

// userNameChanged shows the new name or address in the body alone. It goes to
// the one before, too.
func (w *writer) userNameChanged(p *page) error {
	d, err := decode[userNameData](w.data)
	if err != nil {
		return err
	}
	who := values{"GlobalAdmin": w.role(domain.GlobalAdmin)}
	unexpected := "user_name_changed.not_you"
	if d.PrimaryEmail == nil {
		w.head(p, "user_name_changed", who)
		p.Lead = []string{w.t("user_name_changed.what", nil), w.t("user_name_changed.next", nil)}
		w.add(p, "user_name", d.UserName.line())
	} else {
		w.head(p, "user_name_changed.primary", who)
		p.Lead = []string{w.t("user_name_changed.primary.what", nil), w.t("user_name_changed.primary.next", nil)}
		w.add(p, "primary_email", d.PrimaryEmail.line())
		unexpected = "user_name_changed.primary.not_you"
	}
	w.addTime(p, "time", d.At)
	w.act(p, "action.account", w.r.cfg.Links.Admin, w.person)
	w.notExpected(p, unexpected)
	return nil
}

// orgProfileChanged names the fields and never their values.
func (w *writer) orgProfileChanged(p *page) error {
	d, err := decode[changedData](w.data)
	if err != nil {
		return err
	}
	labels := w.names("field", d.Changed)
	if len(labels) == 0 {
		return errors.New("template data: changed must name a field")
	}
	w.head(p, "org_profile_changed", nil)
	p.Lead = []string{w.t("org_profile_changed.what", values{"Count": len(labels)})}
	w.changed(p, labels)
	w.act(p, "action.organization", w.r.cfg.Links.Organization, w.tenant)
	w.notExpected(p, "org_profile_changed.not_you")
	return nil
}

func (w *writer) offboardingItems(p *page) error {
	d, err := decode[offboardingData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "offboarding_items", nil)
	p.Lead = []string{w.t("offboarding_items.what", nil)}
	var items []string
	for _, id := range d.CardIDs {
		items = append(items, w.t("offboarding_items.card", values{"ID": id}))
	}
	for _, id := range d.SubscriptionIDs {
		items = append(items, w.t("offboarding_items.subscription", values{"ID": id}))
	}
	if n := len(d.CardIDs); n > 0 {
		p.Lead = append(p.Lead, w.t("offboarding_items.cards", values{"Count": n}))
	}
	if n := len(d.SubscriptionIDs); n > 0 {
		p.Lead = append(p.Lead, w.t("offboarding_items.subscriptions", values{"Count": n}))
	}
	p.Lead = append(p.Lead, w.t("offboarding_items.next", nil))
	w.add(p, "account", d.AdminID)
	w.addDay(p, "due", d.DueAt)
	w.list(p, w.t("offboarding_items.list", nil), items...)
	w.act(p, "action.subscriptions", w.r.cfg.Links.Subscription, "")
	if len(d.SubscriptionIDs) == 0 {
		w.act(p, "action.cards", w.r.cfg.Links.Card, "")
	}
	return nil
}

func (w *writer) formerUserAccess(p *page) error {
	d, err := decode[accessData](w.data)
	if err != nil {
		return err
	}
	subject, err := w.choice("former_user_access.subject", d.Change)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("former_user_access.what."+d.Change, nil)}
	w.add(p, "account", d.AdminID)
	w.add(p, "given_to", d.GranteeID)
	if d.Change == "granted" {
		w.addTime(p, "valid_until", d.ExpiresAt)
	}
	w.act(p, "action.account", w.r.cfg.Links.Admin, d.AdminID)
	w.notExpected(p, "former_user_access.not_you")
	p.SMS = w.t("former_user_access.sms", values{"Subject": p.Subject})
	return nil
}

// erasureDone is the last message to somebody: it leaves before the keys are
// destroyed, since after that there is no address to send it to. It leads to no
// account, which will be gone when it is read.
func (w *writer) erasureDone(p *page) error {
	d, err := decode[momentData](w.data)
	if err != nil {
		return err
	}
	p.Greeting = w.t("common.greeting", nil)
	w.head(p, "erasure_done", nil)
	p.Lead = []string{w.t("erasure_done.what", nil), w.t("erasure_done.rest", nil)}
	w.addTime(p, "erased_at", d.At)
	w.act(p, "action.home", w.r.cfg.Links.Home, "")
	w.notExpected(p, "erasure_done.not_you")
	return nil
}

// erasureBlocked leads to no account either: who gets it has left.
func (w *writer) erasureBlocked(p *page) error {
	d, err := decode[momentData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "erasure_blocked", nil)
	p.Lead = []string{w.t("erasure_blocked.what", nil), w.t("erasure_blocked.next", nil)}
	w.addTime(p, "time", d.At)
	w.act(p, "action.home", w.r.cfg.Links.Home, "")
	w.notExpected(p, "erasure_blocked.not_you")
	return nil
}

func (w *writer) subjectAccessReady(p *page) error {
	d, err := decode[exportData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "subject_access_ready", nil)
	p.Lead = []string{w.t("subject_access_ready.what", nil), w.t("subject_access_ready.next", nil)}
	w.addTime(p, "valid_until", d.ExpiresAt)
	w.act(p, "action.export", w.r.cfg.Links.Export, w.person)
	w.notExpected(p, "subject_access_ready.not_you")
	return nil
}
