package history

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Line is an event in a copy of the log that somebody takes along.
type Line struct {
	Position       string         `json:"position"` // resumes a copy that broke off
	Stream         string         `json:"stream"`
	Revision       int64          `json:"revision"`
	ID             string         `json:"id"`
	Type           string         `json:"type"`
	RecordedAt     time.Time      `json:"recordedAt"`
	Tenant         string         `json:"tenant"`
	Actor          domain.Actor   `json:"actor"`
	Command        string         `json:"command"` // wire name of the command that caused it
	Correlation    string         `json:"correlation,omitempty"`
	Causation      string         `json:"causation,omitempty"` // ID of the command, or of the event that a policy reacted to
	PolicyVersions map[string]int `json:"policyVersions,omitempty"`
	// Reason is why the actor did it, in their words, a JSON string; personal
	// as a value of Data may be, and absent if they gave none.
	Reason json.RawMessage `json:"reason,omitempty"`
	// Hash is the SHA-256 of the event as it is stored; see [Hash].
	Hash string `json:"hash"`
	// Data has {"$commitment": …} for a personal value that the reader may not
	// see, and "[erased]" for one that nobody can.
	Data json.RawMessage `json:"data"`
}

// Line returns r as somebody with that sight takes it along.
func (h *Reader) Line(ctx context.Context, r eventstore.Recorded, sight domain.Sight) (Line, error) {
	meta, err := envelope.ParseMeta(r.Meta)
	if err != nil {
		return Line{}, err
	}
	data := r.Data
	if sight.Personal {
		opened, err := envelope.OpenMeta(ctx, h.Keys, r, meta.Tenant)
		if err == nil {
			meta, err = envelope.ParseMeta(opened)
		}
		if err != nil {
			return Line{}, fmt.Errorf("open %s@%d: %w", r.Stream, r.Revision, err)
		}
		if data, err = envelope.OpenData(ctx, h.Keys, r, meta.Tenant); err != nil {
			return Line{}, fmt.Errorf("open %s@%d: %w", r.Stream, r.Revision, err)
		}
	}
	var reason json.RawMessage
	if !meta.Reason.IsZero() {
		if reason, err = json.Marshal(meta.Reason); err != nil {
			return Line{}, err
		}
		reason = privacy.Committed(reason)
	}
	return Line{
		Position: r.Position.String(), Stream: r.Stream, Revision: int64(r.Revision), ID: uuid.UUID(r.ID).String(),
		Type: r.Type, RecordedAt: r.At, Tenant: meta.Tenant, Actor: meta.Actor, Command: meta.CommandType,
		Correlation: meta.Correlation, Causation: meta.Causation, PolicyVersions: meta.PolicyVersions, Reason: reason, Hash: Hash(r), Data: privacy.Committed(data),
	}, nil
}

// Hash returns the SHA-256, in hexadecimal, of an event as it is stored: of its
// stream, ID (36 characters), type, metadata and data, each after its length in
// bytes as 4 bytes, the highest first. Personal values are in it as they are
// sealed, so that it stays the same when they are erased.
func Hash(r eventstore.Recorded) string {
	sum := sha256.New()
	for _, field := range [][]byte{[]byte(r.Stream), []byte(uuid.UUID(r.ID).String()), []byte(r.Type), r.Meta, r.Data} {
		_, _ = sum.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field)))) //nolint:gosec // an event is far below 4 GB
		_, _ = sum.Write(field)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// columns are those of a copy in CSV.
var columns = []string{
	"position", "stream", "revision", "id", "type", "recordedAt", "tenant", "actorKind", "actorId", "actorRoles",
	"command", "correlation", "policyVersions", "hash", "data", "causation", "reason",
}

// Writer writes lines one after the other, and keeps none.
type Writer struct {
	csv  *csv.Writer
	json *json.Encoder
}

// JSONLines returns a writer of one JSON object per line.
func JSONLines(w io.Writer) *Writer {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Writer{json: e}
}

// CSV returns a writer of comma-separated values (RFC 4180), the names of the
// columns first. Lists are separated by spaces, objects are JSON.
func CSV(w io.Writer) (*Writer, error) {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	err := c.Write(columns)
	c.Flush()
	return &Writer{csv: c}, err
}

// Write writes a line.
func (w *Writer) Write(l Line) error {
	if w.json != nil {
		return w.json.Encode(l)
	}
	var versions []byte
	if len(l.PolicyVersions) > 0 {
		var err error
		if versions, err = json.Marshal(l.PolicyVersions); err != nil {
			return err
		}
	}
	roles := make([]string, len(l.Actor.Roles))
	for i, r := range l.Actor.Roles {
		roles[i] = string(r)
	}
	reason := string(l.Reason)
	if text := ""; json.Unmarshal(l.Reason, &text) == nil {
		reason = text // a string is not quoted as JSON, others are objects
	}
	err := w.csv.Write([]string{
		l.Position, l.Stream, strconv.FormatInt(l.Revision, 10), l.ID, l.Type, l.RecordedAt.UTC().Format(time.RFC3339Nano), l.Tenant,
		string(l.Actor.Kind), l.Actor.ID, strings.Join(roles, " "), l.Command, l.Correlation, string(versions), l.Hash, string(l.Data), l.Causation, reason,
	})
	if err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}
