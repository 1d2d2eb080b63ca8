package projections

import (
	"context"
	"encoding/json"
	"time"

	"konto/domain"
	"konto/domain/policyversion"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

// What decides how many proofs an account needs, and when its person is asked
// about their contacts.

func gateTenantRegistered(ctx context.Context, tx Tx, e domain.Recorded[tenant.TenantRegistered]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO security_tenants (tenant, trial_since)
		VALUES ($1, $2) ON CONFLICT (tenant) DO NOTHING`, e.ID, at(e.Data.TrialSince))
	if err != nil {
		return err
	}
	return addGateDomain(ctx, tx, e.ID, e.Data.Domain)
}

func gateDomainVerified(ctx context.Context, tx Tx, e domain.Recorded[tenant.DomainVerified]) error {
	return addGateDomain(ctx, tx, e.ID, e.Data.Domain)
}

func addGateDomain(ctx context.Context, tx Tx, id, name string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO security_domains (tenant, domain)
		VALUES ($1, $2) ON CONFLICT (tenant, domain) DO NOTHING`, id, name)
	return err
}

// gateTermsPublished keeps the versions of one policy, so that people are told
// the gate that a reset would ask of them.
func gateTermsPublished(ctx context.Context, tx Tx, e domain.Recorded[policyversion.PolicyVersionPublished]) error {
	if e.Data.Name != securityinfo.RecoveryPolicy.Name {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO security_terms (number, effective_at, rules)
		VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING`, e.Data.Version, at(e.Data.EffectiveAt), string(e.Data.Rules))
	return err
}

func gateTermsPostponed(ctx context.Context, tx Tx, e domain.Recorded[policyversion.PolicyVersionPostponed]) error {
	if e.Data.Name != securityinfo.RecoveryPolicy.Name {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE security_terms SET effective_at = $2 WHERE number = $1`, e.Data.Version, at(e.Data.EffectiveAt))
	return err
}

// recoveryTerms returns the terms in force at a time.
func recoveryTerms(ctx context.Context, db DB, now time.Time) (securityinfo.RecoveryTerms, error) {
	versions, err := all(ctx, db, func(row scanner) (v domain.Version[securityinfo.RecoveryTerms], err error) {
		var rules string
		if err := row.Scan(&v.Number, instant{&v.EffectiveAt}, &rules); err != nil {
			return v, err
		}
		return v, json.Unmarshal([]byte(rules), &v.Rules)
	}, `SELECT number, effective_at, rules FROM security_terms ORDER BY number`)
	if err != nil {
		return securityinfo.RecoveryTerms{}, err
	}
	facts := securityinfo.RecoveryPolicy.Known(domain.Facts{}, versions...)
	return securityinfo.RecoveryPolicy.In(domain.Meta{At: now, Facts: facts}), nil
}

func infoReconfirmed(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.SecurityInfoReconfirmed]) error {
	if err := infoSeen(ctx, tx, e); err != nil {
		return err
	}
	return reconfirmBy(ctx, tx, e.Tenant, e.ID, e.Data.DueAt)
}

func reconfirmPostponed(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ReconfirmationPostponed]) error {
	if err := infoSeen(ctx, tx, e); err != nil {
		return err
	}
	return reconfirmBy(ctx, tx, e.Tenant, e.ID, e.Data.DueAt)
}

func reconfirmRequested(ctx context.Context, tx Tx, e domain.Recorded[securityinfo.ReconfirmationRequested]) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_accounts SET reconfirm_by = 0, asked_at = $3, revision = $4
		WHERE tenant = $1 AND admin_id = $2`, e.Tenant, e.ID, at(e.Data.At), e.Revision)
	return err
}

// infoSeen notes an event that changes nothing that is shown: whoever saves what
// they see names the revision that the account is at, also after a recovery.
func infoSeen[E any](ctx context.Context, tx Tx, e domain.Recorded[E]) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_accounts SET revision = $3 WHERE tenant = $1 AND admin_id = $2`,
		e.Tenant, e.ID, e.Revision)
	return err
}

func reconfirmBy(ctx context.Context, tx Tx, tenant, id string, due time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE security_accounts SET reconfirm_by = $3, asked_at = 0
		WHERE tenant = $1 AND admin_id = $2`, tenant, id, at(due))
	return err
}
