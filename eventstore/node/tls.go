package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files of the certificate for development.
const (
	devCert = "tls-dev.crt"
	devKey  = "tls-dev.key"
)

// How long such a certificate is good, and how long before its end another one
// is made. Clients refuse more than 825 days (Apple's rule for TLS servers).
const (
	devLife  = 365 * 24 * time.Hour
	devRenew = 30 * 24 * time.Hour
)

func tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
}

func loadTLS(certFile, keyFile string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("tls-cert, tls-key: %w", err)
	}
	return tlsConfig(cert), nil
}

// developTLS returns a certificate for localhost, 127.0.0.1 and ::1 out of dir,
// which it makes if there is none, or none that is good for another month.
func developTLS(dir string, now time.Time) (*tls.Config, error) {
	certFile, keyFile := filepath.Join(dir, devCert), filepath.Join(dir, devKey)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case err == nil && cert.Leaf != nil && now.Before(cert.Leaf.NotAfter.Add(-devRenew)):
		return tlsConfig(cert), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("tls-dev: %w; remove %s and %s to have others made", err, certFile, keyFile)
	}
	certPEM, keyPEM, err := selfSigned(now)
	if err != nil {
		return nil, fmt.Errorf("tls-dev: %w", err)
	}
	if err := errors.Join(os.WriteFile(keyFile, keyPEM, 0o600), os.WriteFile(certFile, certPEM, 0o644)); err != nil { //nolint:gosec // the certificate is for others to read
		return nil, fmt.Errorf("tls-dev: %w", err)
	}
	cert, err = tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("tls-dev: %w", err)
	}
	return tlsConfig(cert), nil
}

// selfSigned makes a certificate that is its own authority: clients that trust
// the file trust the node and nothing else.
func selfSigned(now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "konto node, for development"},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(devLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}
