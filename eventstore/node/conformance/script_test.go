package conformance_test

import (
	"context"
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// fewest is how many checks client.mjs makes at least.
const fewest = 80

//go:embed *.mjs package.json package-lock.json
var scripts embed.FS

var summary = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed$`)

// TestNodeClient runs client.mjs with the Node.js client, which npm installs
// into a temporary directory as package-lock.json says.
func TestNodeClient(t *testing.T) {
	wanted(t)
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED, NOTHING WAS CHECKED: %v", err)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, scripts); err != nil {
		t.Fatal(err)
	}
	if out, err := output(t, dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		missing(t, "the Node.js client", out)
	}
	certs := filepath.Join(dir, "certs")
	writeCertificates(t, certs)
	plain := startNode(t, "localhost:0", certs, true)
	secure := startNode(t, "localhost:0", certs, false)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, complaints, err := program(ctx, dir, nil, "node", "client.mjs", plain.address, secure.address, filepath.Join(certs, filepath.FromSlash(trusted)))
	t.Logf("client.mjs\n%s%s", out, complaints)
	if err != nil {
		t.Error(err)
	}
	m := summary.FindStringSubmatch(out)
	if m == nil {
		t.Fatal("client.mjs printed no summary")
	}
	if passed, _ := strconv.Atoi(m[1]); passed < fewest || m[2] != "0" {
		t.Errorf("client.mjs: %s passed, %s failed, want at least %d and none", m[1], m[2], fewest)
	}
}
