package chain_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"ward"
	"ward/ledger/chain"
	"ward/ledger/receipt"
)

func TestWhatWasReleasedStaysRecordedAndCanBeShown(t *testing.T) {
	ctx, config := wait(t), chain.Config{Dir: t.TempDir()}
	c := start(t, config)
	var keys []ed25519.PrivateKey
	agreed := &ward.ReleaseKeys{Needed: 2}
	for _, name := range []string{"one", "two", "three"} {
		seed := sha256.Sum256([]byte(name))
		key := ed25519.NewKeyFromSeed(seed[:])
		keys = append(keys, key)
		agreed.Keys = append(agreed.Keys, ward.B64.EncodeToString(key.Public().(ed25519.PublicKey)))
	}
	record := func(number int64, content string, signers ...ed25519.PrivateKey) error {
		sum := sha256.Sum256([]byte(content))
		r := ward.ChainRelease{Kind: "app", Number: number, Sum: hex.EncodeToString(sum[:])}
		var signatures [][]byte
		for _, key := range signers {
			signature, err := chain.SignRelease(c.ID(), key, r)
			if err != nil {
				t.Fatal(err)
			}
			signatures = append(signatures, signature)
		}
		return c.Record(ctx, r, signatures)
	}
	refused := func(what, why string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("before members said who signs", "have not said who signs", record(1, "first", keys...))
	if _, err := c.Propose(ctx, ward.ChainVote{Kind: "releases", Releases: agreed}); err != nil {
		t.Fatal(err)
	}
	refused("one signature", "too few", record(1, "first", keys[0]))
	refused("one signature twice", "there twice", record(1, "first", keys[0], keys[0]))
	stranger := sha256.Sum256([]byte("stranger"))
	refused("a stranger's", "by no release key", record(1, "first", keys[0], ed25519.NewKeyFromSeed(stranger[:])))
	for number, content := range []string{"first", "second"} {
		if err := record(int64(number)+1, content, keys[2], keys[number]); err != nil { // in any order
			t.Fatal(err)
		}
	}
	refused("an older number", "newer release is known", record(2, "third", keys...))
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}

	c = start(t, config)
	book := newBook("releases") // a block, so that the newest state is signed
	if err := c.Register(ctx, book.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	for content, want := range map[string]uint64{"first": 1, "second": 2, "third": 0} {
		sum := receipt.Hash(sha256.Sum256([]byte(content)))
		if got := c.Recorded(receipt.ReleaseApp, sum); got != int64(want) {
			t.Errorf("%s is recorded as %d, not %d", content, got, want)
		}
		proof, err := c.ProveRelease(receipt.ReleaseApp, sum)
		if err != nil {
			t.Fatal(err)
		}
		value, there, _, err := trust(c, book.origin()).CheckState(receipt.ReleasedKey(receipt.ReleaseApp, sum), proof)
		if err != nil || there != (want > 0) || receipt.ReleasedNumber(value) != want {
			t.Errorf("%s is shown as %d, %v, %v, not %d", content, receipt.ReleasedNumber(value), there, err, want)
		}
		if c.Recorded(receipt.ReleaseServer, sum) != 0 {
			t.Errorf("%s counts as a server", content)
		}
	}
	status := c.Status()
	if len(status.Releases) != 1 || status.Releases[0].Number != 2 || status.ReleaseKeys == nil || status.ReleaseKeys.Needed != 2 || len(status.ReleaseKeys.Keys) != 3 {
		t.Errorf("the status has %+v, %+v", status.Releases, status.ReleaseKeys)
	}
}
