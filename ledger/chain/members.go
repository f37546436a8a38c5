package chain

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cometbft/cometbft/crypto"
	cometed25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/mldsa65"
	cometjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/types"

	"ward"
	"ward/ledger/receipt"
)

// Who takes part. A member is an operator (whose key votes), a validator (whose key signs blocks) and a node (whose key
// others know it by on the network). The three keys are files of the chain's folder and never leave it.
//
// A chain grows like this. A member writes an invitation, which says where the chain is. The operator who is invited
// prepares their Ward with it (Join) and sends back an application: the public halves of their keys. A member proposes
// it, and from then on the candidate's node is let in and follows. When members with more than two thirds of the
// power have voted for it, its validator signs.

// Files in the chain's folder.
const (
	genesisFile   = "genesis.json"
	invitedFile   = "invitation.json" // whom to connect to until this operator is a member
	welcomeFile   = "welcome.json"    // whose nodes may connect to this one before they are members
	operatorFile  = "operator.key"
	consensusFile = "consensus.key"
	nodeFile      = "node.key"
	signedFile    = "data/consensus.state" // what was signed last, so that nothing is signed twice
)

// firstPower is what a member's vote and signature weigh, unless members decide otherwise: not 1, so that one can be given less.
const firstPower = 10

type keys struct {
	operator  ed25519.PrivateKey
	consensus *privval.FilePV
	node      *p2p.NodeKey
}

// openKeys reads the chain's keys and genesis, and makes what is missing in a new folder.
func (c *Chain) openKeys() (*types.GenesisDoc, error) {
	k, err := openKeys(c.config)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(c.config.Dir, genesisFile)
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = found([]Config{c.config}, []keys{k}); err == nil {
			err = writeFile(file, raw)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a chain: %w", err)
	}
	g, err := types.GenesisDocFromJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	c.id, c.keys, c.log = g.ChainID, k, c.log.With(slog.String("chain", g.ChainID))
	return g, nil
}

// Together prepares folders for a chain that begins with all of them as members.
func Together(configs ...Config) error {
	var all []keys
	for _, config := range configs {
		if err := os.MkdirAll(filepath.Join(config.Dir, "data"), 0o700); err != nil {
			return err
		}
		k, err := openKeys(config)
		if err != nil {
			return err
		}
		all = append(all, k)
	}
	raw, err := found(configs, all)
	if err != nil {
		return err
	}
	for _, config := range configs {
		if err := writeFile(filepath.Join(config.Dir, genesisFile), raw); err != nil {
			return err
		}
	}
	return nil
}

// found makes the genesis of a chain.
func found(configs []Config, all []keys) ([]byte, error) {
	var begin genesis
	var validators []types.GenesisValidator
	for i, k := range all {
		m, pub := k.member(configs[i]), k.consensus.Key.PubKey
		if err := m.Valid(); err != nil {
			return nil, err
		}
		begin.Members = append(begin.Members, m.Bytes())
		validators = append(validators, types.GenesisValidator{Address: pub.Address(), PubKey: pub, Power: m.Power, Name: m.Name})
	}
	state, err := json.Marshal(begin)
	if err != nil {
		return nil, err
	}
	params := types.DefaultConsensusParams()
	params.Block.MaxBytes = blockBytes
	params.Validator.PubKeyTypes = []string{cometed25519.KeyType, mldsa65.KeyType}
	params.Version.App = 1
	g := &types.GenesisDoc{
		ChainID: newChainID(), GenesisTime: time.Now().UTC().Truncate(time.Millisecond), InitialHeight: 1, ConsensusParams: params, AppState: state,
		Validators: validators,
	}
	if err := g.ValidateAndComplete(); err != nil {
		return nil, err
	}
	return cometjson.MarshalIndent(g, "", "  ")
}

func newChainID() string {
	var b [10]byte
	rand.Read(b[:])
	return "ward-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func openKeys(config Config) (keys, error) {
	var k keys
	path := func(name string) string { return filepath.Join(config.Dir, name) }
	seed, err := os.ReadFile(path(operatorFile))
	if errors.Is(err, fs.ErrNotExist) {
		_, private, _ := ed25519.GenerateKey(nil)
		seed = []byte(hex.EncodeToString(private.Seed()))
		err = writeFile(path(operatorFile), seed)
	}
	if err != nil {
		return k, fmt.Errorf("the operator's key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(seed)))
	if err != nil || len(raw) != ed25519.SeedSize {
		return k, fmt.Errorf("the operator's key in %s has a wrong form", path(operatorFile))
	}
	k.operator = ed25519.NewKeyFromSeed(raw)
	if k.consensus, err = openConsensus(config, path(consensusFile), path(signedFile)); err != nil {
		return k, err
	}
	if k.node, err = p2p.LoadOrGenNodeKey(path(nodeFile)); err != nil {
		return k, fmt.Errorf("the node's key: %w", err)
	}
	return k, nil
}

// openConsensus reads the key that signs blocks, and what it signed last. With the key there and that gone, it refuses: a
// validator that does not know what it signed might sign something else of the same height, which all would see.
func openConsensus(config Config, keyFile, signed string) (*privval.FilePV, error) {
	raw, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		var private crypto.PrivKey = cometed25519.GenPrivKey()
		switch config.Keys {
		case "", receipt.Ed25519:
		case receipt.MLDSA65:
			if private, err = mldsa65.GenPrivKey(); err != nil {
				return nil, err
			}
		default:
			return nil, &ward.Error{Kind: ward.Invalid, Message: fmt.Sprintf("there are no validators' keys of kind %.20q", config.Keys), Hint: "Use ed25519 or mldsa65."}
		}
		v := privval.NewFilePV(private, keyFile, signed)
		v.Save()
		return v, nil
	}
	// CometBFT ends the process if it cannot read these, so they are read first.
	if err == nil {
		err = cometjson.Unmarshal(raw, new(privval.FilePVKey))
	}
	if err != nil {
		return nil, fmt.Errorf("the key that signs blocks: %w", err)
	}
	if raw, err = os.ReadFile(signed); err == nil {
		err = cometjson.Unmarshal(raw, new(privval.FilePVLastSignState))
	}
	if err != nil {
		return nil, &ward.Error{
			Kind: ward.Unavailable, Message: fmt.Sprintf("it is not known what this validator signed last: %v", err),
			Hint: "Restore " + signed + ", or leave the chain and join it with a new key.", Err: err,
		}
	}
	return privval.LoadFilePV(keyFile, signed), nil
}

// writeFile writes a file for this user alone, whole or not at all.
func writeFile(file string, content []byte) error {
	temporary := file + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}

// member is how this Ward would be one.
func (k keys) member(config Config) receipt.Member {
	pub := k.consensus.Key.PubKey
	kind := receipt.Ed25519
	if pub.Type() == mldsa65.KeyType {
		kind = receipt.MLDSA65
	}
	return receipt.Member{
		Operator: receipt.Key(k.operator.Public().(ed25519.PublicKey)), Power: firstPower, Node: [20]byte(k.node.PubKey().Address()),
		Kind: kind, Key: pub.Bytes(), Address: config.Address, Name: config.Name,
	}
}

// operator is this Ward's; none if its keys could not be read.
func (c *Chain) operator() receipt.Key {
	if c.keys.operator == nil {
		return receipt.Key{}
	}
	return receipt.Key(c.keys.operator.Public().(ed25519.PublicKey))
}

// Invitation says where a chain is. It holds no secret.
type Invitation struct {
	Ward    string          `json:"ward"` // invitationKind
	By      string          `json:"by"`
	Genesis json.RawMessage `json:"genesis"`
	Peers   []string        `json:"peers"`           // node@host:port
	State   *Snapshot       `json:"state,omitempty"` // from which to begin, if the first blocks are gone
}

// Application is who wants to join, signed with their operator key.
type Application struct {
	Ward      string        `json:"ward"` // applicationKind
	Chain     string        `json:"chain"`
	Member    receipt.Bytes `json:"member"`
	Signature receipt.Bytes `json:"signature"`
}

const (
	invitationKind  = "invitation to a ledger"
	applicationKind = "application to a ledger"
	maxInvitation   = 256 << 20 // it carries the state
)

// Invite makes an invitation to this chain.
func (c *Chain) Invite() (Invitation, error) {
	raw, err := os.ReadFile(filepath.Join(c.config.Dir, genesisFile))
	if err != nil {
		return Invitation{}, err
	}
	i := Invitation{Ward: invitationKind, By: c.config.Name, Genesis: raw, Peers: []string{}}
	if n, err := c.ready(); err != nil {
		return i, err
	} else if n.BlockStore().Base() > 1 {
		if i.State, err = c.snapshot(); err != nil {
			return i, err
		}
	}
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return i, &ward.Error{Kind: ward.Unavailable, Message: "the chain has not begun"}
	}
	for _, m := range c.app.now.Members {
		if m.Power > 0 && m.Address != "" {
			i.Peers = append(i.Peers, nodeHex(m.Node)+"@"+m.Address)
		}
	}
	slices.Sort(i.Peers)
	if len(i.Peers) == 0 {
		return i, &ward.Error{
			Kind: ward.Conflict, Message: "nobody could reach this chain: no member has told an address",
			Hint: "Set ledger-listen and ledger-address, restart, and tell the members with `ward ledger propose self`.",
		}
	}
	return i, nil
}

// Join prepares a folder that has no chain for the one of an invitation, and gives the application to send back.
func Join(config Config, invitation []byte) (Application, error) {
	i, err := parseInvitation(invitation)
	if err != nil {
		return Application{}, err
	}
	g, err := types.GenesisDocFromJSON(i.Genesis)
	if err != nil {
		return Application{}, fmt.Errorf("the invitation's genesis: %w", err)
	}
	if _, err := founded(g.AppState); err != nil {
		return Application{}, fmt.Errorf("the invitation's genesis: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(config.Dir, "data"), 0o700); err != nil {
		return Application{}, err
	}
	if have, err := os.ReadFile(filepath.Join(config.Dir, genesisFile)); err == nil {
		if !sameJSON(have, i.Genesis) {
			return Application{}, &ward.Error{
				Kind: ward.Conflict, Message: "this Ward has a ledger already",
				Hint: "To leave it for this one, stop Ward, move " + config.Dir + " away and join again. Receipts that were given stay good.",
			}
		}
		if i.State != nil {
			if err := setAside(config.Dir); err != nil {
				return Application{}, err
			}
		}
	}
	if i.State != nil {
		if err := i.State.unpack(config.Dir, g.ChainID); err != nil {
			return Application{}, err
		}
		i.State = nil
	}
	known, err := json.Marshal(i)
	if err != nil {
		return Application{}, err
	}
	if err := errors.Join(writeFile(filepath.Join(config.Dir, invitedFile), known), writeFile(filepath.Join(config.Dir, genesisFile), i.Genesis)); err != nil {
		return Application{}, err
	}
	k, err := openKeys(config)
	if err != nil {
		return Application{}, err
	}
	m := k.member(config)
	if err := m.Valid(); err != nil {
		return Application{}, err
	}
	return apply(k, g.ChainID, m), nil
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// setAside moves the blocks and states of a member that was away for so long that it cannot catch up. Its keys stay, and what
// it signed last.
func setAside(dir string) error {
	aside := filepath.Join(dir, fmt.Sprintf("data-before-%d", time.Now().Unix()))
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	for _, name := range []string{appDB + ".db", stateDB + ".db", blocksDB + ".db", "evidence.db", "cs.wal"} {
		if err := os.Rename(filepath.Join(dir, "data", name), filepath.Join(aside, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func apply(k keys, chain string, m receipt.Member) Application {
	a := Application{Ward: applicationKind, Chain: chain, Member: m.Bytes()}
	a.Signature = ed25519.Sign(k.operator, a.message())
	return a
}

func (a Application) message() []byte {
	return append([]byte("ward/application/v1\x00"+a.Chain+"\x00"), a.Member...)
}

func parseInvitation(raw []byte) (Invitation, error) {
	i, err := ward.Decode[Invitation](bytes.NewReader(raw))
	if err != nil || i.Ward != invitationKind {
		return i, &ward.Error{Kind: ward.Invalid, Message: "this is not an invitation to a ledger", Hint: "Give the file that `ward ledger invite` wrote.", Err: err}
	}
	for _, p := range i.Peers {
		node, address, ok := strings.Cut(p, "@")
		id, err := hex.DecodeString(node)
		if m := (receipt.Member{Address: address, Name: "a"}); !ok || err != nil || len(id) != 20 || m.Valid() != nil {
			return i, &ward.Error{Kind: ward.Invalid, Message: fmt.Sprintf("the invitation names a peer %.60q that cannot be", p)}
		}
	}
	return i, nil
}

// Welcome lets a candidate's node connect to this one and follow the chain before anyone votes: so that when it is admitted, it
// is there to sign. With one member more that is away, the others may be too few.
func (c *Chain) Welcome(m receipt.Member) error {
	guests := append(c.welcomed(), m.Bytes())
	raw, err := json.Marshal(guests[max(0, len(guests)-maxMembers):])
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(c.config.Dir, welcomeFile), raw); err != nil {
		return fmt.Errorf("keep who is welcome: %w", err)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

func (c *Chain) welcomed() (guests []receipt.Bytes) {
	if raw, err := os.ReadFile(filepath.Join(c.config.Dir, welcomeFile)); err == nil {
		json.Unmarshal(raw, &guests) // of this Ward alone; what is broken is nobody
	}
	return guests
}

// Follows tells whether a node that is no member yet is connected.
func (c *Chain) Follows(m receipt.Member) bool {
	n, err := c.ready()
	return err == nil && n.Switch().Peers().Has(peerID(m.Node))
}

// ParseApplication reads an application to a chain and checks its signature.
func ParseApplication(raw []byte, chain string) (receipt.Member, error) {
	a, err := ward.Decode[Application](bytes.NewReader(raw))
	if err != nil || a.Ward != applicationKind {
		return receipt.Member{}, &ward.Error{Kind: ward.Invalid, Message: "this is not an application to a ledger", Hint: "Give the file that `ward ledger join` wrote.", Err: err}
	}
	m, err := receipt.ParseMember(a.Member)
	if err != nil {
		return m, fmt.Errorf("the application: %w", err)
	}
	if a.Chain != chain {
		return m, &ward.Error{Kind: ward.Conflict, Message: "this application is to another chain"}
	}
	if !ed25519.Verify(m.Operator[:], a.message(), a.Signature) {
		return m, &ward.Error{Kind: ward.Invalid, Message: "the application's signature is not good: it was changed on its way"}
	}
	return m, nil
}

// Register has this operator tell the chain that it writes a log.
func (c *Chain) Register(ctx context.Context, origin, saltHash receipt.Key, name string) error {
	c.app.mu.Lock()
	s := c.app.now
	c.app.mu.Unlock()
	self := c.operator()
	if s == nil || s.Members[self].Power == 0 {
		return &ward.Error{Kind: ward.Unavailable, Message: "this Ward is not a member of the chain yet"}
	}
	if l, ok := s.Logs[origin]; ok && l.Operator == self && l.SaltHash == saltHash && l.Name == name {
		return nil
	}
	log := receipt.Log{Number: c.nextNumber(), Origin: origin, SaltHash: saltHash, Name: name}
	_, err := c.Submit(ctx, receipt.SignTx(c.id, c.keys.operator, receipt.KindLog, log.Body()))
	return err
}

// nextNumber is for a transaction of the operator's: larger than all before, also of another machine with this key.
func (c *Chain) nextNumber() uint64 {
	c.app.mu.Lock()
	var used uint64
	if c.app.now != nil {
		used = c.app.now.Members[c.operator()].Number
	}
	c.app.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number = max(used+1, c.number+1, uint64(c.config.Now().UnixNano()))
	return c.number
}

// Propose begins a vote, with this member's own.
func (c *Chain) Propose(ctx context.Context, what ward.ChainVote) (string, error) {
	subject, err := c.subject(what)
	if err != nil {
		return "", err
	}
	id := subject.ID()
	return id.String(), c.cast(ctx, subject, true)
}

// ProposeSelf has the others vote on how this Ward is as a member now: another address or name.
func (c *Chain) ProposeSelf(ctx context.Context) (string, error) {
	m := c.Self()
	c.app.mu.Lock()
	if s := c.app.now; s != nil {
		m.Power = s.Members[m.Operator].Power
	}
	c.app.mu.Unlock()
	if m.Power == 0 {
		return "", &ward.Error{Kind: ward.Unavailable, Message: "this Ward is not a member of the chain", Hint: "Send an application to a member: `ward ledger join` wrote it."}
	}
	return c.ProposeMember(ctx, m)
}

// Vote casts this member's vote, or takes it back.
func (c *Chain) Vote(ctx context.Context, subject string, yes bool) error {
	c.app.mu.Lock()
	var open *openVote
	if s := c.app.now; s != nil {
		for id, o := range s.Open {
			if id.String() == subject {
				open = &o
			}
		}
	}
	c.app.mu.Unlock()
	if open == nil {
		return &ward.Error{Kind: ward.Missing, Message: "there is no such vote open", Hint: "It may have been decided, or given up."}
	}
	s, err := receipt.ParseSubject(open.Subject)
	if err != nil {
		return err
	}
	return c.cast(ctx, s, yes)
}

func (c *Chain) cast(ctx context.Context, subject receipt.Subject, yes bool) error {
	b := receipt.Ballot{Number: c.nextNumber(), Yes: yes, Subject: subject}
	tx := receipt.SignTx(c.id, c.keys.operator, receipt.KindVote, b.Body())
	if err := c.holds(tx); err != nil {
		return &ward.Error{Kind: ward.Conflict, Message: err.Error()}
	}
	_, err := c.Submit(ctx, tx)
	return err
}

// holds tells at once what a block would not take now, so that an operator need not wait to hear it.
func (c *Chain) holds(raw []byte) error {
	tx, err := receipt.ParseTx(raw)
	if err != nil {
		return err
	}
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return errors.New("the chain has not begun")
	}
	return c.app.now.clone().apply(tx, c.id)
}

// subject is what a proposal is about. Of who leaves or changes, what is not said is as it is.
func (c *Chain) subject(what ward.ChainVote) (receipt.Subject, error) {
	switch what.Kind {
	case "upgrade":
		return parsed(receipt.Subject{Upgrade: &receipt.Upgrade{Height: what.Height, Version: what.Version}})
	case "releases":
		if what.Releases == nil {
			return receipt.Subject{}, &ward.Error{Kind: ward.Invalid, Message: "the vote does not say who signs releases"}
		}
		r := receipt.ReleaseKeys{Needed: int(min(max(what.Releases.Needed, 0), 255))}
		for _, text := range what.Releases.Keys {
			var k receipt.Key
			if err := k.UnmarshalText([]byte(text)); err != nil {
				return receipt.Subject{}, &ward.Error{Kind: ward.Invalid, Message: err.Error(), Hint: "Give keys as `ward ledger release key` printed them."}
			}
			r.Keys = append(r.Keys, k)
		}
		return parsed(receipt.Subject{Releases: &r})
	case "join", "leave", "power":
		if what.Member == nil {
			return receipt.Subject{}, &ward.Error{Kind: ward.Invalid, Message: "the vote does not say about whom"}
		}
		m, err := c.memberOf(what.Kind, *what.Member)
		if err != nil {
			return receipt.Subject{}, err
		}
		return parsed(receipt.Subject{Member: &m})
	}
	return receipt.Subject{}, &ward.Error{Kind: ward.Invalid, Message: fmt.Sprintf("there is no vote of kind %.20q", what.Kind), Hint: "Use join, leave, power, upgrade or releases."}
}

// parsed refuses what would not be read as it was written.
func parsed(s receipt.Subject) (receipt.Subject, error) {
	s, err := receipt.ParseSubject(s.Bytes())
	if err != nil {
		return s, &ward.Error{Kind: ward.Invalid, Message: err.Error(), Err: err}
	}
	return s, nil
}

func (c *Chain) memberOf(kind string, told ward.ChainMember) (receipt.Member, error) {
	operator, err := ward.B64.DecodeString(told.Operator)
	if err != nil || len(operator) != 32 {
		return receipt.Member{}, &ward.Error{Kind: ward.Invalid, Message: "an operator's key is 32 bytes in base64url"}
	}
	if kind == "join" {
		key, err1 := ward.B64.DecodeString(told.Key)
		id, err2 := hex.DecodeString(told.Node)
		if err := errors.Join(err1, err2); err != nil || len(id) != 20 {
			return receipt.Member{}, &ward.Error{Kind: ward.Invalid, Message: "a member's keys have a wrong form", Err: err}
		}
		return receipt.Member{Operator: receipt.Key(operator), Power: max(told.Power, 1), Node: [20]byte(id), Kind: told.Kind, Key: key, Address: told.Address, Name: told.Name}, nil
	}
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	var now member
	if c.app.now != nil {
		now = c.app.now.Members[receipt.Key(operator)]
	}
	if now.Power == 0 {
		return receipt.Member{}, &ward.Error{Kind: ward.Missing, Message: "there is no such member"}
	}
	m := now.Member
	m.Power = 0
	if kind == "power" {
		if m.Power = told.Power; m.Power < 1 {
			return m, &ward.Error{Kind: ward.Invalid, Message: "a power of none is leaving", Hint: "Propose that it leaves."}
		}
	}
	return m, nil
}

// ProposeMember has the members vote on whether an organisation is one.
func (c *Chain) ProposeMember(ctx context.Context, m receipt.Member) (string, error) {
	subject, err := parsed(receipt.Subject{Member: &m})
	if err != nil {
		return "", err
	}
	return subject.ID().String(), c.cast(ctx, subject, true)
}

// Member is Self for those who are told.
func (c *Chain) Member() ward.ChainMember {
	if c.keys.operator == nil {
		return ward.ChainMember{}
	}
	return toldMember(c.Self())
}

// Self is how this Ward is, or would be, a member, as its settings say.
func (c *Chain) Self() receipt.Member { return c.keys.member(c.config) }

func toldMember(m receipt.Member) ward.ChainMember {
	return ward.ChainMember{
		Validator: ward.Validator{Name: m.Name, Key: ward.B64.EncodeToString(m.Key), Power: m.Power, Kind: m.Kind},
		Operator:  m.Operator.String(), Node: nodeHex(m.Node), Address: m.Address,
	}
}

// told says what a vote is about. Under no lock: states do not change.
func (s *agreed) told(id receipt.Hash, open openVote, names map[receipt.Key]string, self receipt.Key) ward.ChainVote {
	yes, all := s.tally(open)
	v := ward.ChainVote{Subject: id.String(), Power: yes, Needed: all*2/3 + 1, Yes: []string{}}
	for _, operator := range open.Yes {
		v.Yes = append(v.Yes, names[operator])
		v.Mine = v.Mine || operator == self
	}
	subject, err := receipt.ParseSubject(open.Subject)
	if err != nil {
		return v
	}
	switch {
	case subject.Member != nil:
		m := toldMember(*subject.Member)
		v.Member, v.Kind = &m, "join"
		if subject.Member.Power == 0 {
			v.Kind = "leave"
		} else if s.Members[subject.Member.Operator].Power > 0 {
			v.Kind = "power"
		}
	case subject.Upgrade != nil:
		v.Kind, v.Height, v.Version = "upgrade", subject.Upgrade.Height, subject.Upgrade.Version
	case subject.Releases != nil:
		v.Kind, v.Releases = "releases", toldKeys(subject.Releases)
	}
	return v
}

// Who may connect: members' nodes, and candidates', so that they can follow before they sign. Until this operator is a
// member, also those of the invitation.

// friends are the addresses of the nodes that this one may meet, by node; empty for one that only connects itself.
func (c *Chain) friends() map[string]string {
	c.app.mu.Lock()
	s := c.app.now
	c.app.mu.Unlock()
	all := map[string]string{}
	if s == nil || s.Members[c.operator()].Power == 0 {
		for _, p := range c.invited() {
			node, address, _ := strings.Cut(p, "@")
			all[node] = address
		}
	}
	for _, raw := range c.welcomed() {
		m, err := receipt.ParseMember(raw)
		if err != nil {
			continue
		}
		if s != nil {
			if _, was := s.Members[m.Operator]; was {
				continue // the members have decided
			}
		}
		all[nodeHex(m.Node)] = m.Address
	}
	if s != nil {
		for _, o := range s.Open {
			if subject, err := receipt.ParseSubject(o.Subject); err == nil && subject.Member != nil && subject.Member.Power > 0 {
				all[nodeHex(subject.Member.Node)] = subject.Member.Address
			}
		}
		for _, m := range s.Members {
			if m.Power > 0 {
				all[nodeHex(m.Node)] = m.Address
			}
		}
	}
	delete(all, string(c.keys.node.ID()))
	return all
}

func (c *Chain) invited() []string {
	raw, err := os.ReadFile(filepath.Join(c.config.Dir, invitedFile))
	if err != nil {
		return nil
	}
	i, err := parseInvitation(raw)
	if err != nil {
		return nil
	}
	return i.Peers
}

func (c *Chain) mayMeet(node string) bool {
	_, ok := c.friends()[node]
	return ok
}

// How often members' nodes that are not connected are dialled. Of two, the one whose id is smaller dials at once and the
// other only later, so that their calls do not cross.
const (
	dialEvery   = time.Second
	dialPatient = 4 // times dialEvery
)

// connect keeps connections to those who may be met, and ends others. A chain of one has none, and nothing ticks.
func (c *Chain) connect(ctx context.Context) {
	missing := map[string]int{}
	for {
		friends := c.friends()
		n, err := c.ready()
		if err != nil {
			return // halted
		}
		peers := n.Switch()
		for _, p := range peers.Peers().Copy() {
			if _, ok := friends[string(p.ID())]; !ok {
				peers.StopPeerGracefully(p)
			}
		}
		for node, address := range friends {
			if peers.Peers().Has(p2p.ID(node)) {
				delete(missing, node)
				continue
			}
			missing[node]++
			if address == "" || node < string(c.keys.node.ID()) && missing[node]%dialPatient != 0 {
				continue
			}
			c.peers.Go(func() {
				at, err := p2p.NewNetAddressString(node + "@" + address)
				if err == nil && ctx.Err() == nil {
					err = peers.DialPeerWithAddress(at)
				}
				if err != nil {
					c.log.Debug("a member's node does not answer", "node", node, "error", err.Error())
				}
			})
		}
		var tick <-chan time.Time
		if len(friends) > 0 {
			tick = time.After(dialEvery)
		}
		select {
		case <-tick:
		case <-c.wake:
			if len(friends) > 0 { // blocks come fast; who may connect changes rarely
				select {
				case <-tick:
				case <-ctx.Done():
					return
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

func peerID(node [20]byte) p2p.ID { return p2p.ID(nodeHex(node)) }

func rowHeight(row []byte) int64 {
	if len(row) != 9 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(row[1:]))
}
