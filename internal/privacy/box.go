package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

const (
	keySize   = 32 // AES-256
	nonceSize = 12 // of AES-GCM
	// boxExtra is how much longer a box is than its content.
	boxExtra = nonceSize + 16
)

// box is AES-256-GCM under one key. It draws a random nonce for each sealing
// and writes it before the ciphertext. One key is for less than 2^32 sealings
// (NIST SP 800-38D section 8.3); a subject has hundreds.
type box struct{ aead cipher.AEAD }

func newBox(key []byte) (box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return box{}, fmt.Errorf("key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return box{}, fmt.Errorf("key: %w", err)
	}
	return box{aead}, nil
}

// seal appends plain, sealed, to dst. Opening it takes the same data.
func (b box) seal(dst, plain, data []byte) []byte {
	return b.aead.Seal(dst, nil, plain, data) //nolint:gosec // G407: the nonce is drawn inside
}

func (b box) open(sealed, data []byte) ([]byte, error) {
	return b.aead.Open(nil, nil, sealed, data)
}
