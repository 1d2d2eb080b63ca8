package httpapi

import (
	"cmp"
	"context"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/invoiceswitch"
	"konto/domain/notification"
	"konto/domain/offboarding"
	"konto/domain/organization"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
	"konto/internal/envelope"
	"konto/projections"
)

// queries registers what callers read from the read models.
func (s *server) queries(api huma.API) {
	get(s, api, "/v1/whoami", "Who you are, as your token says", "identity", s.whoami)
	get(s, api, "/v1/security-info/{id}", "A person's contacts and whether they could recover their account", "security-info", s.securityInfo, "security_info")
	get(s, api, "/v1/recovery-readiness", "Which people could recover their accounts now", "security-info", s.readiness, "security_info")
	get(s, api, "/v1/recovery-readiness/{id}", "Whether a person could recover their account now, and after a change that you only think of; changes nothing", "security-info", s.outlook)
	get(s, api, "/v1/admins", "The people of your organization", "admins", s.admins, "admins")
	get(s, api, "/v1/admins/{id}", "A person's account", "admins", s.admin, "admins")
	get(s, api, "/v1/organizations/{id}", "What an organization says of itself: its profile and sold-to address", "organizations", s.organization, "organization_profiles")
	get(s, api, "/v1/orphaned-items", "Cards and subscriptions that leavers left behind", "offboardings", s.orphanedItems, "orphaned_items")
	get(s, api, "/v1/cards", "The organization's cards", "cards", s.cards, "payment_methods")
	get(s, api, "/v1/cards/{id}", "A card: what may be shown of it, and what it pays for", "cards", s.card, "payment_methods")
	get(s, api, "/v1/cards/{id}/impact", "What depends on a card: what moves if it is replaced, and what stops if it fails", "cards", s.cardImpact, "payment_methods")
	get(s, api, "/v1/expiring-cards", "Cards that end soon, and what only they pay for", "cards", s.expiringCards, "payment_methods")
	get(s, api, "/v1/subscriptions", "What is paid for, and with which cards", "subscriptions", s.subscriptions, "payment_methods")
	get(s, api, "/v1/subscriptions/{id}", "How a subscription is paid for", "subscriptions", s.subscription, "payment_methods")
	get(s, api, "/v1/declines", "Declined charges and what to do about them", "invoices", s.declines, "decline_explanations")
	get(s, api, "/v1/invoices/{id}/decline", "Why an invoice's last attempt was declined: the checklist item by item, and the card field by field", "invoices", s.decline, "decline_explanations")
	get(s, api, "/v1/unknown-decline-codes", "Decline codes that no list has, of all organizations; for operators", "invoices", s.unknownDeclineCodes, "decline_explanations")
	get(s, api, "/v1/collection-cases", "Unpaid invoices: where their collecting stands, and what card networks still allow", "invoices", s.collectionCases, "collection_cases")
	get(s, api, "/v1/invoices/{id}/collection", "Where the collecting of an invoice stands", "invoices", s.collectionCase, "collection_cases")
	get(s, api, "/v1/due-charges", "Charges that the gateway's side is to carry out now, the oldest first", "invoices", s.dueCharges, "collection_cases")
	get(s, api, "/v1/invoice-switch-cases", "Who wants to pay by invoice, and how far that has come", "invoice-switch-cases", s.switches, "invoice_switch_cases")
	get(s, api, "/v1/invoice-switch-cases/{id}", "A wish to pay by invoice: its conditions and its status", "invoice-switch-cases", s.switchCase, "invoice_switch_cases")
	get(s, api, "/v1/customers", "A partner's customers", "customers", s.customers, "customer_accounts")
	get(s, api, "/v1/customers/{id}", "A customer's account", "customers", s.customer, "customer_accounts")
	get(s, api, "/v1/relationships", "Partners and customers of your organization", "relationships", s.relationships, "customer_accounts")
	get(s, api, "/v1/purchase-permissions", "What customers may buy at their partners' expense, and what became of it", "relationships", s.purchasePermissions, "purchase_permissions")
	get(s, api, "/v1/timeline", "What happened in your organization's accounts, newest first", "accounts", s.timeline, "account_timeline")
	get(s, api, "/v1/webhook-endpoints", "Which other systems are called, and about what", "webhook-endpoints", s.webhookEndpoints, "webhooks")
	get(s, api, "/v1/webhook-endpoints/{id}", "Where another system is called", "webhook-endpoints", s.webhookEndpoint, "webhooks")
	get(s, api, "/v1/webhook-deliveries", "What became of calls of other systems", "webhook-deliveries", s.webhookDeliveries, "webhooks")
	get(s, api, "/v1/webhook-deliveries/{id}", "What became of a call of another system", "webhook-deliveries", s.webhookDelivery, "webhooks")
	get(s, api, "/v1/notifications", "Who was told what, and when", "notifications", s.notifications, "notification_log")
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"pass it as cursor= for the next page; absent on the last"`
}

// ListQuery is what every list takes.
type ListQuery struct {
	Common
	Tenant string `query:"tenant" doc:"whose; your own organization's if absent"`
	Cursor string `query:"cursor" doc:"from the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// OneQuery is what every single resource takes.
type OneQuery struct {
	Common
	ID     string `path:"id"`
	Tenant string `query:"tenant" doc:"whose; your own organization's if absent"`
}

// reach asks whether the caller may read an account of a tenant, or with an
// empty id the tenant's list, and returns the tenant.
func (s *server) reach(ctx context.Context, category, id, tenant string) (owner string, personal bool, err error) {
	owner = cmp.Or(tenant, actorOf(ctx).Tenant)
	sight, err := s.sight(ctx, category, id, owner)
	return owner, sight.Personal, err
}

// one answers with a single row.
func one[T any](s *server, ctx context.Context, category string, q *OneQuery, find func(tenant string) (T, error), revision func(T) int64) (a answer[T], err error) { //nolint:revive // ctx follows the receiver that a generic function cannot have
	tenant, personal, err := s.reach(ctx, category, q.ID, q.Tenant)
	if err != nil {
		return a, err
	}
	if a.body, err = find(tenant); err != nil {
		return a, err
	}
	a.personal = personal
	if at := revision(a.body); at >= 0 {
		a.revision = &at
	}
	return a, nil
}

// many answers with a page of rows.
func many[T any](s *server, ctx context.Context, category string, q *ListQuery, find func(tenant string) ([]T, string, error)) (a answer[Page[T]], err error) { //nolint:revive // ctx follows the receiver that a generic function cannot have
	tenant, personal, err := s.reach(ctx, category, "", q.Tenant)
	if err != nil {
		return a, err
	}
	a.personal = personal
	a.body.Items, a.body.Next, err = find(tenant)
	return a, err
}

func (s *server) whoami(ctx context.Context, _ *Common) (answer[domain.Actor], error) {
	return answer[domain.Actor]{body: actorOf(ctx)}, nil
}

func (s *server) securityInfo(ctx context.Context, q *OneQuery) (answer[projections.SecurityInfoRow], error) {
	return one(s, ctx, securityinfo.Aggregate.Category(), q, func(tenant string) (projections.SecurityInfoRow, error) {
		return projections.SecurityInfoOf(ctx, s.Read, tenant, q.ID, s.Now())
	}, func(r projections.SecurityInfoRow) int64 { return r.Revision })
}

func (s *server) readiness(ctx context.Context, q *ListQuery) (answer[Page[projections.Readiness]], error) {
	return many(s, ctx, securityinfo.Aggregate.Category(), q, func(tenant string) ([]projections.Readiness, string, error) {
		return projections.RecoveryReadiness(ctx, s.Read, tenant, s.Now(), q.Cursor, q.Limit)
	})
}

func (s *server) admins(ctx context.Context, q *ListQuery) (answer[Page[projections.AdminRow]], error) {
	return many(s, ctx, admin.Aggregate.Category(), q, func(tenant string) ([]projections.AdminRow, string, error) {
		return projections.AdminList(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

func (s *server) admin(ctx context.Context, q *OneQuery) (answer[projections.AdminRow], error) {
	return one(s, ctx, admin.Aggregate.Category(), q, func(tenant string) (projections.AdminRow, error) {
		return projections.Admin(ctx, s.Read, tenant, q.ID)
	}, func(r projections.AdminRow) int64 { return r.Revision })
}

func (s *server) organization(ctx context.Context, q *OneQuery) (answer[projections.OrganizationProfile], error) {
	q.Tenant = q.ID // a profile is the organization's own
	return one(s, ctx, organization.Aggregate.Category(), q, func(tenant string) (projections.OrganizationProfile, error) {
		return projections.OrganizationProfileOf(ctx, s.Read, tenant)
	}, func(r projections.OrganizationProfile) int64 { return r.Revision })
}

type orphansQuery struct {
	ListQuery
	Admin   string `query:"admin" doc:"only what this person left behind"`
	Settled bool   `query:"settled" doc:"what somebody looks after by now, too"`
}

func (s *server) orphanedItems(ctx context.Context, q *orphansQuery) (answer[Page[projections.OrphanedItem]], error) {
	return many(s, ctx, offboarding.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.OrphanedItem, string, error) {
		return projections.OrphanedItemList(ctx, s.Read, tenant, q.Admin, q.Settled, q.Cursor, q.Limit)
	})
}

type cardsQuery struct {
	ListQuery
	Owner   string `query:"owner" doc:"only cards that this admin added"`
	Removed bool   `query:"removed" doc:"removed cards, too"`
}

func (s *server) cards(ctx context.Context, q *cardsQuery) (answer[Page[projections.PaymentMethod]], error) {
	return many(s, ctx, card.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.PaymentMethod, string, error) {
		f := projections.PaymentMethodFilter{Owner: q.Owner, WithRemoved: q.Removed}
		return projections.PaymentMethodList(ctx, s.Read, tenant, f, s.Now(), q.Cursor, q.Limit)
	})
}

func (s *server) card(ctx context.Context, q *OneQuery) (answer[projections.PaymentMethod], error) {
	return one(s, ctx, card.Aggregate.Category(), q, func(tenant string) (projections.PaymentMethod, error) {
		return projections.PaymentMethodByID(ctx, s.Read, tenant, q.ID, s.Now())
	}, func(r projections.PaymentMethod) int64 { return r.Revision })
}

func (s *server) cardImpact(ctx context.Context, q *OneQuery) (answer[projections.CardImpact], error) {
	return one(s, ctx, card.Aggregate.Category(), q, func(tenant string) (projections.CardImpact, error) {
		return projections.Impact(ctx, s.Read, tenant, q.ID)
	}, func(i projections.CardImpact) int64 { return i.Revision })
}

type expiringQuery struct {
	ListQuery
	Days int `query:"days" minimum:"0" maximum:"3650" default:"60" doc:"only cards with at most so many days left"`
}

func (s *server) expiringCards(ctx context.Context, q *expiringQuery) (answer[Page[projections.ExpiringCard]], error) {
	return many(s, ctx, card.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.ExpiringCard, string, error) {
		return projections.ExpiringCards(ctx, s.Read, tenant, s.Now(), q.Days, q.Cursor, q.Limit)
	})
}

func (s *server) subscriptions(ctx context.Context, q *ListQuery) (answer[Page[projections.SubscriptionRow]], error) {
	return many(s, ctx, billing.Aggregate.Category(), q, func(tenant string) ([]projections.SubscriptionRow, string, error) {
		return projections.SubscriptionList(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

func (s *server) subscription(ctx context.Context, q *OneQuery) (answer[projections.SubscriptionRow], error) {
	return one(s, ctx, billing.Aggregate.Category(), q, func(tenant string) (projections.SubscriptionRow, error) {
		return projections.SubscriptionByID(ctx, s.Read, tenant, q.ID)
	}, func(r projections.SubscriptionRow) int64 { return r.Revision })
}

type casesQuery struct {
	ListQuery
	Subscription string `query:"subscription" doc:"only invoices of this subscription"`
	Phase        string `query:"phase" doc:"only cases in this phase, such as suspended"`
}

func (s *server) collectionCases(ctx context.Context, q *casesQuery) (answer[Page[projections.CollectionCase]], error) {
	return many(s, ctx, collection.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.CollectionCase, string, error) {
		f := projections.CollectionCaseFilter{SubscriptionID: q.Subscription, Phase: collection.Phase(q.Phase)}
		return projections.CollectionCaseList(ctx, s.Read, tenant, f, s.Now(), q.Cursor, q.Limit)
	})
}

func (s *server) collectionCase(ctx context.Context, q *OneQuery) (answer[projections.CollectionCase], error) {
	return one(s, ctx, collection.Aggregate.Category(), q, func(tenant string) (projections.CollectionCase, error) {
		return projections.CollectionCaseByID(ctx, s.Read, tenant, q.ID, s.Now())
	}, func(projections.CollectionCase) int64 { return -1 })
}

// dueCharges names the cards' tokens to nobody but the gateway's side.
func (s *server) dueCharges(ctx context.Context, q *ListQuery) (answer[Page[projections.DueCharge]], error) {
	a, err := many(s, ctx, collection.Aggregate.Category(), q, func(tenant string) ([]projections.DueCharge, string, error) {
		return projections.DueCharges(ctx, s.Read, tenant, s.Now(), q.Cursor, q.Limit)
	})
	if actorOf(ctx).Kind != domain.KindGateway {
		for i := range a.body.Items {
			a.body.Items[i].GatewayToken = ""
		}
	}
	return a, err
}

func (s *server) switches(ctx context.Context, q *ListQuery) (answer[Page[projections.InvoiceSwitchCase]], error) {
	return many(s, ctx, invoiceswitch.Aggregate.Category(), q, func(tenant string) ([]projections.InvoiceSwitchCase, string, error) {
		return projections.InvoiceSwitchCaseList(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

func (s *server) switchCase(ctx context.Context, q *OneQuery) (answer[projections.InvoiceSwitchCase], error) {
	return one(s, ctx, invoiceswitch.Aggregate.Category(), q, func(tenant string) (projections.InvoiceSwitchCase, error) {
		return projections.InvoiceSwitchCaseByID(ctx, s.Read, tenant, q.ID)
	}, func(r projections.InvoiceSwitchCase) int64 { return r.Revision })
}

type customersQuery struct {
	ListQuery
	Prefix string `query:"prefix" doc:"only companies whose name begins so"`
}

// customers are those of the caller's own organization: the query itself asks
// for a relationship that is in force.
func (s *server) customers(ctx context.Context, q *customersQuery) (a answer[Page[projections.CustomerAccount]], err error) {
	a.body.Items, a.body.Next, err = projections.CustomersOf(ctx, s.Read, actorOf(ctx).Tenant, q.Prefix, q.Cursor, q.Limit)
	if err != nil || len(a.body.Items) == 0 {
		return a, err
	}
	first := a.body.Items[0].ID
	_, a.personal, err = s.reach(ctx, customer.Aggregate.Category(), first, first)
	return a, err
}

func (s *server) customer(ctx context.Context, q *OneQuery) (answer[projections.CustomerAccount], error) {
	q.Tenant = q.ID // a customer's account is the customer's own
	return one(s, ctx, customer.Aggregate.Category(), q, func(tenant string) (projections.CustomerAccount, error) {
		return projections.Customer(ctx, s.Read, tenant)
	}, func(r projections.CustomerAccount) int64 { return r.Revision })
}

func (s *server) relationships(ctx context.Context, q *ListQuery) (answer[Page[projections.Relationship]], error) {
	return many(s, ctx, relationship.Aggregate.Category(), q, func(tenant string) ([]projections.Relationship, string, error) {
		return projections.Relationships(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

func (s *server) purchasePermissions(ctx context.Context, q *ListQuery) (answer[Page[projections.PurchasePermission]], error) {
	return many(s, ctx, relationship.Aggregate.Category(), q, func(tenant string) ([]projections.PurchasePermission, string, error) {
		return projections.PermissionRegister(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

type timelineQuery struct {
	ListQuery
	Stream string `query:"stream" doc:"only this account"`
	Type   string `query:"type" doc:"only events of this type"`
}

// timeline shows all of an organization's accounts, so it is for those who may
// read the history of each; one account's is for those who may read that.
func (s *server) timeline(ctx context.Context, q *timelineQuery) (a answer[Page[projections.TimelineEntry]], err error) {
	tenant := cmp.Or(q.Tenant, actorOf(ctx).Tenant)
	query := audit.Query{Kind: audit.ReadTimeline, Account: q.Stream, Type: q.Type}
	var sight domain.Sight
	if q.Stream == "" {
		sight, err = s.pastOfAll(ctx, tenant, query)
	} else {
		category, id, _ := envelope.Split(q.Stream)
		sight, err = s.past(ctx, domain.Look{Category: category, ID: id, Owner: tenant}, query)
	}
	if err != nil {
		return a, err
	}
	a.personal = sight.Personal
	f := projections.TimelineFilter{Stream: q.Stream, Type: q.Type}
	a.body.Items, a.body.Next, err = projections.Timeline(ctx, s.Read, tenant, f, q.Cursor, q.Limit)
	return a, err
}

type notificationsQuery struct {
	ListQuery
	Person string `query:"person" doc:"only messages to this person; me is who asks, who needs no role for it"`
	Cause  string `query:"cause" doc:"only messages that this event led to"`
}

func (s *server) notifications(ctx context.Context, q *notificationsQuery) (a answer[Page[projections.Notification]], err error) {
	person := q.Person
	if person == "me" {
		person = actorOf(ctx).ID
	}
	tenant := cmp.Or(q.Tenant, actorOf(ctx).Tenant)
	sight, err := s.sight(ctx, notification.Aggregate.Category(), person, tenant)
	if err != nil && person != "" { // who reads the list finds one person's messages there
		sight, err = s.sight(ctx, notification.Aggregate.Category(), "", tenant)
	}
	if err != nil {
		return a, err
	}
	a.personal = sight.Personal
	f := projections.NotificationFilter{Person: person, Cause: q.Cause, Templates: sight.Messages}
	a.body.Items, a.body.Next, err = projections.Notifications(ctx, s.Read, tenant, f, q.Cursor, q.Limit)
	return a, err
}
