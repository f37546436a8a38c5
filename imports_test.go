package ward_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// The shape of Ward is a fact about imports. Each rule says who may not import or reach what, and why.

// features hold one part of what the clinic does, each with its rules, HTTP, SQL and tests.
var features = []string{"identity", "charts", "visits"}

// holders hold keys that open charts: those who work for a person, and the tools around them.
var holders = []string{"seal", "client", "simulator", "cmd/ward", "build"}

// doors are libraries that one package alone may import, in code and in tests. A pattern ends in /... for a whole tree.
var doors = []struct {
	library string
	only    []string
	why     string
}{
	{"database/sql", []string{"store"}, "one engine, one door: SQL is spoken through store.Tx, the same on both engines"},
	{"github.com/jackc/pgx/v5/...", []string{"store", "build"}, "one engine, one door: PostgreSQL is behind store; build measures against it bare"},
	{"modernc.org/sqlite/...", []string{"store"}, "one engine, one door: SQLite is behind store"},
	{"github.com/pressly/goose/v3/...", []string{"store"}, "one engine, one door: migrations are run by store"},
	{"github.com/minio/minio-go/v7/...", []string{"store"}, "one engine, one door: objects are behind store.Objects"},
	{"github.com/nats-io/...", []string{"bus"}, "one engine, one door: what parts tell each other goes through bus"},
	{"github.com/cedar-policy/...", []string{"policy"}, "one engine, one door: every decision is made by policy.Decide"},
	{"github.com/go-webauthn/...", []string{"identity"}, "one engine, one door: passkeys are checked in identity"},
	{"github.com/livekit/...", []string{"visits"}, "one engine, one door: media goes through visits"},
	{"github.com/cometbft/...", []string{"ledger/chain"}, "one engine, one door: what organisations agree on goes through ledger.Chain"},
	{"ward/ledger/chain", []string{"ledger/chain", "cmd/ward", "build"}, "who needs a chain asks for ledger.Chain, and cmd/ward fills it in"},
	{"filippo.io/age/...", []string{"seal", "client", "simulator", "cmd/ward", "build"}, "who opens age files holds keys, and no part of the server does"},
}

type pkg struct {
	ImportPath                               string
	Imports, TestImports, XTestImports, Deps []string
}

func TestImportsFeaturesNeverImportEachOther(t *testing.T) {
	for _, p := range packages(t) {
		own := feature(p.ImportPath)
		if own == "" {
			continue
		}
		for _, dep := range p.Deps {
			if other := feature(dep); other != "" && other != own {
				t.Errorf("%s reaches %s: what two features share is a value in ward, a notice on bus, or an interface that the one in need declares and cmd/ward fills in", p.ImportPath, dep)
			}
		}
	}
}

func TestImportsOnlyHoldersReachSeal(t *testing.T) {
	for _, p := range packages(t) {
		if within(p.ImportPath, holders) {
			continue
		}
		for _, dep := range p.Deps {
			if dep == "ward/seal" {
				t.Errorf("%s reaches seal: that the server cannot open a chart is a fact about imports; use seal/envelope for what a sealed thing looks like from outside", p.ImportPath)
			}
		}
	}
}

func TestImportsOneEngineOneDoor(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for _, door := range doors {
				if matches(imported, door.library) && !within(p.ImportPath, door.only) {
					t.Errorf("%s imports %s, which only %s may: %s", p.ImportPath, imported, strings.Join(door.only, ", "), door.why)
				}
			}
		}
	}
}

// The newest version by number, 1.0.1, was given up by its makers and lacks what was mended since.
func TestImportsCometBFTIsOfTheLineThatIsMaintained(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/cometbft/cometbft").Output()
	if err != nil {
		t.Fatal(err)
	}
	if version := strings.TrimSpace(string(out)); !strings.HasPrefix(version, "v0.40.") {
		t.Errorf("CometBFT is %s: take v0.40, not what `go get` takes for the latest", version)
	}
}

func TestImportsWardIsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "ward" {
			continue
		}
		for _, dep := range p.Deps {
			if dep == "ward" || strings.HasPrefix(dep, "ward/") || strings.Contains(strings.Split(dep, "/")[0], ".") {
				t.Errorf("ward reaches %s: the shared words import the standard library only, so that reading them needs nothing else", dep)
			}
		}
	}
}

// packages lists those of this module, as the go command sees them.
func packages(t *testing.T) []pkg {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, said.String())
	}
	var list []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		t.Fatal("go list found no packages")
	}
	return list
}

// feature is the feature that a package belongs to, or nothing.
func feature(importPath string) string {
	for _, f := range features {
		if within(importPath, []string{f}) {
			return f
		}
	}
	return ""
}

// within tells whether a package is one of the folders or below it. seal/envelope is not of seal: it holds no keys.
func within(importPath string, folders []string) bool {
	if importPath == "ward/seal/envelope" {
		return false
	}
	for _, folder := range folders {
		own := path.Join("ward", folder)
		if importPath == own || strings.HasPrefix(importPath, own+"/") {
			return true
		}
	}
	return false
}

func matches(imported, pattern string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return imported == tree || strings.HasPrefix(imported, tree+"/")
	}
	return imported == pattern
}
