package privacy

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// checkScheme names the value that tells whether a root key is the one
	// that the key file was made with.
	checkScheme = "konto-root-check/1"
	ownerOnly   = 0o600
)

// unlock finds the root key and makes sure that it is the file's.
func (k *Keys) unlock(ctx context.Context, c Config) error {
	var check []byte
	err := k.write.QueryRowContext(ctx, `SELECT wrapped FROM root_check`).Scan(&check)
	fresh := errors.Is(err, sql.ErrNoRows)
	if err != nil && !fresh {
		return fmt.Errorf("read the root key's check: %w", err)
	}
	key := c.RootKey
	if c.RootKeyFile != "" {
		if key, err = loadRoot(c.RootKeyFile, fresh); err != nil {
			return err
		}
	}
	if k.root, err = newBox(key); err != nil {
		return err
	}
	if fresh {
		_, err := k.write.ExecContext(ctx, `INSERT INTO root_check (wrapped) VALUES (?)`,
			k.root.seal(nil, []byte(checkScheme), []byte(checkScheme)))
		if err != nil {
			return fmt.Errorf("write the root key's check: %w", err)
		}
		return nil
	}
	if plain, err := k.root.open(check, []byte(checkScheme)); err != nil || string(plain) != checkScheme {
		return fmt.Errorf("%w: not the one that %s was made with", ErrRootKey, c.Path)
	}
	return nil
}

// loadRoot reads the root key's file. It makes a new one only for a new
// database: another key would open nothing that an old one holds.
func loadRoot(path string, fresh bool) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		return makeRoot(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is missing, restore it from its escrow", ErrRootKey, path)
	case err != nil:
		return nil, fmt.Errorf("root key: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%w: %s has mode %04o and others may read it, want 0600", ErrRootKey, path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%w: %s does not hold %d hex digits", ErrRootKey, path, 2*keySize)
	}
	return key, nil
}

// makeRoot writes a new root key, and has it on disk before anything is
// wrapped under it.
func makeRoot(path string) ([]byte, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	return key, nil
}

func syncDir(path string) error {
	d, err := os.Open(path) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
