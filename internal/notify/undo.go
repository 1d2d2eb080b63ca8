package notify

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/google/uuid"
)

// UndoToken is what the link in a message to a former contact holds: which
// change it takes back, and the proof that its bearer read the message. It is
// in a link because whoever needs it may be unable to sign in. As text it has
// 86 letters and digits: IDs and proof are 16 bytes each, and a link has to fit
// into a text message.
type UndoToken struct {
	Tenant, Person, Change string // UUIDs
	Proof                  string // 32 hex digits
}

// String returns t as it stands in a link. What is no UUID, or no proof, is
// zeros: the link leads to a page that says that it does not work.
func (t UndoToken) String() string {
	var b []byte
	for _, id := range []string{t.Tenant, t.Person, t.Change} {
		u, err := uuid.Parse(id)
		if err != nil {
			u = uuid.Nil
		}
		b = append(b, u[:]...)
	}
	proof, err := hex.DecodeString(t.Proof)
	if err != nil || len(proof) != len(uuid.Nil) {
		proof = uuid.Nil[:]
	}
	return base64.RawURLEncoding.EncodeToString(append(b, proof...))
}

// ParseUndoToken reads a token from a link. Ok is false if it is none.
func ParseUndoToken(s string) (t UndoToken, ok bool) {
	const part = len(uuid.Nil)
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 4*part || len(s) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return UndoToken{}, false
	}
	id := func(i int) string { return uuid.UUID(b[i*part : (i+1)*part]).String() }
	return UndoToken{Tenant: id(0), Person: id(1), Change: id(2), Proof: hex.EncodeToString(b[3*part:])}, true
}
