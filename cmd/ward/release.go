package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	"ward"
	"ward/ledger/chain"
	"ward/ledger/receipt"
	"ward/web"
)

// programs are the server and the app that this program is. The server's sum is read once, when it is first asked for:
// it takes a moment.
var programs = sync.OnceValue(func() []ward.ChainRelease {
	var all []ward.ChainRelease
	if sum, err := programSum(); err == nil {
		all = append(all, ward.ChainRelease{Kind: "server", Sum: sum})
	}
	if sum, err := appSum(); err == nil && sum != "" {
		all = append(all, ward.ChainRelease{Kind: "app", Sum: sum})
	}
	return all
})

// programSum is the SHA-256 of the program that runs, as it was started: its file may have been replaced since.
func programSum() (string, error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		path, failed := os.Executable()
		if failed != nil {
			return "", failed
		}
		file, err = os.Open(path)
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), err
}

// appSum is the SHA-256 of the list of the app's files; empty if none was built.
func appSum() (string, error) {
	list, err := receipt.FileList(web.Files())
	if err != nil || len(list) == 0 {
		return "", err
	}
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:]), nil
}

// releaseKeyKind begins the file of a release key.
const releaseKeyKind = "ward release key"

// newReleaseKey makes a key that signs releases, in a file for this user alone, and tells its public half.
func newReleaseKey(t terminal, name string) error {
	public, private, _ := ed25519.GenerateKey(nil)
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return hinted(fmt.Errorf("make a release key: %w", err), "Name a file that is not there yet.")
	}
	_, err = fmt.Fprintf(file, "%s %s\n", releaseKeyKind, hex.EncodeToString(private.Seed()))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	fmt.Fprintln(t.out, ward.B64.EncodeToString(public))
	fmt.Fprintf(t.err, "The key is in %s. Keep it away from the server, and give members what is printed above: they vote on who signs releases.\n", name)
	return nil
}

func readReleaseKey(name string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the release key: %w", err)
	}
	kept, ok := strings.CutPrefix(strings.TrimSpace(string(text)), releaseKeyKind+" ")
	seed, err := hex.DecodeString(kept)
	if !ok || err != nil || len(seed) != ed25519.SeedSize {
		return nil, hinted(fmt.Errorf("%s is not a release key", name), "Give the file that `ward ledger release key` made.")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// parseRelease reads KIND NUMBER SHA256.
func parseRelease(words []string) (ward.ChainRelease, error) {
	number, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return ward.ChainRelease{}, usageError{fmt.Errorf("%q is not a number", words[1])}
	}
	return ward.ChainRelease{Kind: words[0], Number: number, Sum: words[2]}, nil
}

// signedRelease is a release with signatures by release keys.
type signedRelease struct {
	ward.ChainRelease
	Signatures [][]byte `json:"signatures"`
}

func (o operators) release(ctx context.Context, t terminal, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "key":
		return newReleaseKey(t, args[1])
	case (len(args) == 5 || len(args) == 6) && args[0] == "sign":
		return o.signRelease(ctx, t, args[1], args[2:5], args[5:])
	case len(args) >= 5 && args[0] == "record":
		return o.recordRelease(ctx, t, args[1:4], args[4:])
	}
	return usageError{errors.New("release takes key, sign or record: `ward ledger --help`")}
}

// signRelease prints a signature. Where no Ward runs, as on the machine of who keeps a key, the chain must be named.
func (o operators) signRelease(ctx context.Context, t terminal, file string, about, named []string) error {
	key, err := readReleaseKey(file)
	if err != nil {
		return err
	}
	r, err := parseRelease(about)
	if err != nil {
		return err
	}
	name := strings.Join(named, "")
	if name == "" {
		s, err := o.state(ctx)
		if err != nil {
			return err
		}
		name = s.Chain
	}
	signature, err := chain.SignRelease(name, key, r)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, ward.B64.EncodeToString(signature))
	return nil
}

func (o operators) recordRelease(ctx context.Context, t terminal, about, signatures []string) error {
	r, err := parseRelease(about)
	if err != nil {
		return err
	}
	signed := signedRelease{ChainRelease: r}
	for _, text := range signatures {
		signature, err := ward.B64.DecodeString(text)
		if err != nil {
			return hinted(fmt.Errorf("%.90q is not a signature", text), "Give what `ward ledger release sign` printed.")
		}
		signed.Signatures = append(signed.Signatures, signature)
	}
	if err := o.ask(ctx, "POST", "/release", signed, new(ward.ChainRelease)); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "Recorded: %s %d.\n", r.Kind, r.Number)
	return nil
}

// releases says what is recorded, who signs, and what runs here.
func (o operators) releases(ctx context.Context, t terminal) error {
	s, err := o.state(ctx)
	if err != nil {
		return err
	}
	if s.ReleaseKeys == nil {
		fmt.Fprintln(t.out, "The members have not said who signs releases.")
	} else {
		fmt.Fprintf(t.out, "Releases are signed by %d of:\n", s.ReleaseKeys.Needed)
		for _, k := range s.ReleaseKeys.Keys {
			fmt.Fprintf(t.out, "  %s\n", k)
		}
	}
	for _, r := range s.Releases {
		fmt.Fprintf(t.out, "newest %-8s %4d  %s\n", r.Kind, r.Number, r.Sum)
	}
	for _, r := range s.Running {
		fmt.Fprintf(t.out, "here   %-8s %4s  %s\n", r.Kind, numberOr(r.Number, "-"), r.Sum)
	}
	return nil
}

func numberOr(n int64, none string) string {
	if n == 0 {
		return none
	}
	return strconv.FormatInt(n, 10)
}

// recordedAt is the number with which the chain of a Ward that runs in this folder recorded a program.
func (o operators) recordedAt(ctx context.Context, r ward.ChainRelease) (int64, error) {
	err := o.ask(ctx, "GET", "/recorded?"+url.Values{"kind": {r.Kind}, "sum": {r.Sum}}.Encode(), nil, &r)
	return r.Number, err
}

// recorded fills in with which numbers programs are recorded.
func recorded(c *chain.Chain, all []ward.ChainRelease) ([]ward.ChainRelease, error) {
	for i, r := range all {
		sum, err := chain.ParseSum(r.Sum)
		if err != nil {
			return nil, err
		}
		all[i].Number = c.Recorded(receipt.ReleaseKinds[r.Kind], sum)
	}
	return all, nil
}

// checkRelease tells whether this program, and the app in it, are releases that the members recorded.
func checkRelease(ctx context.Context, c *Config) findings {
	run := c.operators()
	s, err := run.state(ctx)
	if err != nil {
		return ok("not looked at: no Ward with a ledger runs in %s", c.Dir)
	}
	if s.ReleaseKeys == nil {
		return ok("the members of the ledger record no releases, so nothing says which programs are theirs")
	}
	var all findings
	for _, p := range programs() {
		number, err := run.recordedAt(ctx, p)
		newest := int64(0)
		for _, r := range s.Releases {
			if r.Kind == p.Kind {
				newest = r.Number
			}
		}
		switch {
		case err != nil:
			all = append(all, warn("look at `ward ledger status`", "the %s: %v", p.Kind, err)...)
		case number == 0:
			all = append(all, warn("install a release that `ward ledger releases` lists, or have this one signed", "this %s (%s) is no release that the members recorded", p.Kind, p.Sum)...)
		case number < newest:
			all = append(all, warn("install the newer one", "this %s is release %d, and %d is the newest", p.Kind, number, newest)...)
		default:
			all = append(all, ok("this %s is release %d, as the members recorded it", p.Kind, number)...)
		}
	}
	return all
}
