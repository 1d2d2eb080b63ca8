package notify

import (
	"errors"
	"time"
)

func webhookTemplates() map[string]letter {
	return map[string]letter{
		WebhookFailed:   {(*writer).webhookFailed, `{"endpointId":"hook-2","host":"hooks.contoso.example","type":"card-declined","at":"2026-03-02T14:05:00Z"}`},
		WebhookDisabled: {(*writer).webhookDisabled, `{"endpointId":"hook-2","host":"hooks.contoso.example","at":"2026-03-02T14:05:00Z"}`},
	}
}

type endpointData struct {
	EndpointID string    `json:"endpointId"`
	Host       string    `json:"host"` // of its address; the rest may have a secret in it
	Type       string    `json:"type"` // of the event that it was to be told of
	At         time.Time `json:"at"`
}

func (w *writer) webhookFailed(p *page) error {
	w.head(p, "webhook_failed", nil)
	p.Lead = []string{w.t("webhook_failed.what", nil), w.t("webhook_failed.next", nil)}
	w.notExpected(p, "webhook_failed.not_you")
	return w.endpoint(p)
}

func (w *writer) webhookDisabled(p *page) error {
	w.head(p, "webhook_disabled", nil)
	p.Lead = []string{w.t("webhook_disabled.what", nil), w.t("webhook_disabled.next", nil)}
	w.notExpected(p, "webhook_disabled.not_you")
	return w.endpoint(p)
}

// endpoint says which endpoint a page is about.
func (w *writer) endpoint(p *page) error {
	d, err := decode[endpointData](w.data)
	if err != nil {
		return err
	}
	if d.EndpointID == "" {
		return errors.New("template data: endpointId is missing")
	}
	host := d.Host
	if host == "" {
		host = d.EndpointID
	}
	w.add(p, "endpoint", host)
	w.add(p, "event", d.Type)
	w.addTime(p, "time", d.At)
	w.act(p, "action.webhooks", w.r.cfg.Links.Webhook, d.EndpointID)
	return nil
}
