package receipt

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/vectors/receipts anew")

const vectorFolder = "../../testdata/vectors/receipts"

// A vector is one example, good or bad: testdata/vectors/README.md.
type vector struct {
	Name   string          `json:"name"`
	Format string          `json:"format"`
	Good   bool            `json:"good"`
	Wrong  string          `json:"wrong,omitempty"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output,omitempty"`
}

type receiptInput struct {
	Trust   Trust   `json:"trust"`
	Kind    string  `json:"kind"`
	Salt    Salt    `json:"salt"`
	Content string  `json:"content"`
	Receipt Receipt `json:"receipt"`
}

type receiptOutput struct {
	Height int64 `json:"height"`
	Time   int64 `json:"time"` // milliseconds
	Size   int64 `json:"size"`
	Root   Hash  `json:"root"`
	Votes  []int `json:"votes"`
	Of     int   `json:"of"`
}

type changeInput struct {
	Trust  Trust  `json:"trust"`
	Change Change `json:"change"`
}

type extensionInput struct {
	Trust Trust  `json:"trust"`
	To    Seen   `json:"to"`
	Proof []Hash `json:"proof"`
}

type lineInput struct {
	Trust  Trust      `json:"trust"`
	Person string     `json:"person"`
	Cards  []string   `json:"cards"`
	Proof  StateProof `json:"proof"`
}

type lineOutput struct {
	There bool `json:"there"`
	Same  bool `json:"same"` // the state holds the value of these cards
}

var formats = map[string]func(json.RawMessage) (any, error){
	"receipt": func(text json.RawMessage) (any, error) {
		in, err := strict[receiptInput](text)
		if err != nil {
			return nil, err
		}
		a, err := in.Trust.Check(Commitment(in.Kind, in.Salt, []byte(in.Content)), in.Receipt)
		return receiptOutput{a.Height, a.Time.UnixMilli(), a.Size, a.Root, a.Votes, a.Of}, err
	},
	"change": func(text json.RawMessage) (any, error) {
		in, err := strict[changeInput](text)
		if err != nil {
			return nil, err
		}
		return in.Trust.Follow(in.Change)
	},
	"extension": func(text json.RawMessage) (any, error) {
		in, err := strict[extensionInput](text)
		if err != nil {
			return nil, err
		}
		return in.Trust.Extend(in.To, in.Proof)
	},
	"line": func(text json.RawMessage) (any, error) {
		in, err := strict[lineInput](text)
		if err != nil {
			return nil, err
		}
		value, there, _, err := in.Trust.CheckState(LinkKey(in.Trust.Origin, Label(in.Trust.Salt, in.Person)), in.Proof)
		return lineOutput{there, there && value == LineValue(texts(in.Cards)...)}, err
	},
	"accesses": func(text json.RawMessage) (any, error) {
		in, err := strict[accessesInput](text)
		return checkAccesses(in), err
	},
	"names": func(text json.RawMessage) (any, error) {
		in, err := strict[namesInput](text)
		if err != nil {
			return nil, err
		}
		called, err := in.Trust.CheckNames(in.Names)
		out := namesOutput{called.Validators, map[string]string{}, called.Logs[in.Trust.Origin].SaltHash == SaltHash(in.Trust.Salt), called.Agreed.Height}
		for origin, l := range called.Logs {
			out.Logs[origin.String()] = l.Name
		}
		return out, err
	},
}

type accessesInput struct {
	Salt    Key      `json:"salt"` // the organisation's
	Chart   string   `json:"chart"`
	Key     Key      `json:"key"`
	Entries Bytes    `json:"entries"`
	Shown   []Opened `json:"shown"`
}

type accessesOutput struct {
	Head  Seen     `json:"head"`
	Found int      `json:"found"`
	Gaps  []string `json:"gaps"` // why and which number
}

func checkAccesses(in accessesInput) accessesOutput {
	s := NewScan(in.Salt, in.Chart, in.Key)
	for e := range slices.Chunk(in.Entries, 48) {
		s.Add(Entry(e))
	}
	out := accessesOutput{s.Head(), len(s.Found), []string{}}
	for _, g := range s.CheckShown(in.Shown) {
		out.Gaps = append(out.Gaps, fmt.Sprintf("%s %d", g.Why, g.Number))
	}
	return out
}

type namesInput struct {
	Trust Trust `json:"trust"`
	Names Names `json:"names"`
}

type namesOutput struct {
	Validators map[string]string `json:"validators"`
	Logs       map[string]string `json:"logs"`
	Salt       bool              `json:"salt"` // the trusted log has the trusted salt
	Height     int64             `json:"height"`
}

func texts(cards []string) [][]byte {
	var list [][]byte
	for _, c := range cards {
		list = append(list, []byte(c))
	}
	return list
}

func strict[T any](text []byte) (T, error) {
	var value T
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return value, d.Decode(&value)
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorFolder + "/*.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d vectors in %s (%v); make them with -update", len(files), vectorFolder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := strict[vector](text)
			if err != nil {
				t.Fatal(err)
			}
			output, err := formats[v.Format](v.Input)
			if !v.Good {
				if err == nil {
					t.Fatalf("was taken for good, though: %s", v.Wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, v.Output), generic(t, marshal(t, output))); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func generic(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// writeVectors makes all that this package can sign itself. Those called real-… are from a chain that ran, and stay.
func writeVectors(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(vectorFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, wrong string, input any) {
		format, _, _ := strings.Cut(name, "-")
		v := vector{Name: name, Format: format, Good: wrong == "", Wrong: wrong, Input: marshal(t, input)}
		if v.Good {
			output, err := formats[format](v.Input)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			v.Output = marshal(t, output)
		}
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorFolder, name+".json"), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeReceipts(write)
	writeChanges(t, write)
	writeExtensions(write)
	writeLines(write)
	writeNames(write)
	writeAccesses(write)
}

// writeAccesses makes logs of accesses to two charts, as a server writes them, and what an operator may show of them. What does
// not fit is in the output: these inputs are all well formed.
func writeAccesses(write func(name, wrong string, input any)) {
	salt := Key(seed(90))
	keys := map[string]Key{"": Key(seed(91)), "amina": Key(seed(92)), "zahra": Key(seed(93))}
	type made struct {
		entries []byte
		shown   map[string][]Opened
	}
	make := func(charts ...string) made {
		m := made{shown: map[string][]Opened{}}
		number, before := map[string]int64{}, map[string]string{}
		for i, chart := range charts {
			open := Salt(seed(byte(i)))
			if chart == "-" { // something else than an event
				e := Commitment(LeafEntry, open, []byte("statement"))
				m.entries = append(m.entries, e[:]...)
				continue
			}
			said := map[string]any{"event": fmt.Sprint("event-", i), "chart": chart}
			for line, of := range map[int]string{LineRecord: "", LineChart: chart} {
				if line == LineChart && chart == "" {
					continue
				}
				number[of]++
				names := []string{"number", "before", "chartKey"}
				if line == LineRecord {
					names = []string{"seq", "previous", "recordKey"}
				}
				said[names[0]] = number[of]
				mark := MarkOf(keys[of], number[of])
				if number[of] == 1 {
					mark = FirstMark(salt, of)
					said[names[2]] = KeyHash(keys[of]).String()
				} else {
					said[names[1]] = before[of]
				}
				copy(open[16+8*line:], mark[:])
			}
			text, _ := json.Marshal(said)
			e := Commitment(LeafEvent, open, text)
			m.entries = append(m.entries, e[:]...)
			before[""] = e.Commitment().String()
			before[chart] = before[""]
			for _, of := range slices.Compact([]string{"", chart}) {
				m.shown[of] = append(m.shown[of], Opened{open, string(text)})
			}
		}
		return m
	}
	m := make("amina", "-", "", "amina", "zahra", "-", "amina", "amina", "zahra", "")
	without := func(of string, n int) []Opened { return slices.Delete(slices.Clone(m.shown[of]), n, n+1) }
	put := func(name, chart string, entries []byte, shown []Opened) {
		write("accesses-"+name, "", accessesInput{salt, chart, keys[chart], entries, shown})
	}
	put("chart", "amina", m.entries, m.shown["amina"])
	put("record", "", m.entries, m.shown[""])
	put("hidden", "amina", m.entries, without("amina", 1))
	put("hidden-first", "amina", m.entries, without("amina", 0))
	put("hidden-last", "amina", m.entries, without("amina", 3))
	put("hidden-all", "amina", m.entries, []Opened{})
	put("hidden-record", "", m.entries, without("", 5))
	put("waiting", "amina", m.entries[:48*6], m.shown["amina"])
	put("waiting-gap", "amina", m.entries[:48*6], without("amina", 2))
	put("order", "amina", m.entries, []Opened{m.shown["amina"][1], m.shown["amina"][0], m.shown["amina"][2], m.shown["amina"][3]})
	put("twice-shown", "amina", m.entries, append(slices.Clone(m.shown["amina"]), m.shown["amina"][3]))
	put("other-chart", "amina", m.entries, append(slices.Clone(m.shown["amina"]), m.shown["zahra"][1]))
	altered := slices.Clone(m.shown["amina"])
	altered[2].Text = strings.Replace(altered[2].Text, "event-6", "event-7", 1)
	put("altered", "amina", m.entries, altered)
	put("not-json", "amina", m.entries, append(slices.Clone(m.shown["amina"]), Opened{Salt(seed(1)), "{"}))
	again := make("amina", "amina", "amina")
	put("number-again", "amina", slices.Concat(again.entries, again.entries[96:]), again.shown["amina"])
	write("accesses-other-key", "", accessesInput{salt, "amina", keys["zahra"], m.entries, []Opened{}})
	write("accesses-other-key-first", "", accessesInput{salt, "amina", keys["zahra"], m.entries, m.shown["amina"][:1]})
	write("accesses-other-salt", "", accessesInput{Key(seed(94)), "amina", keys["amina"], m.entries, m.shown["amina"]})
}

func writeReceipts(write func(name, wrong string, input any)) {
	content := func(n int) string { return `{"action":"readEntries","seq":` + string(rune('0'+n)) + `}` }
	fill := func(c *consortium) {
		for n := range 9 {
			c.add(Commitment(LeafEvent, Salt(seed(byte(n))[:]), []byte(content(n))))
		}
	}
	example := func(c *consortium, index, others int) receiptInput {
		return receiptInput{c.Trust, LeafEvent, Salt(seed(byte(index))[:]), content(index), c.receipt(c.block(12, others), int64(index))}
	}
	four := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	one := newConsortium(Ed25519)
	quantum := newConsortium(MLDSA65)
	mixed := newConsortium(Ed25519, MLDSA65, Ed25519)
	quantumFour := newConsortium(MLDSA65, MLDSA65, MLDSA65, MLDSA65)
	for _, c := range []*consortium{four, one, quantum, mixed, quantumFour} {
		fill(c)
	}
	write("receipt-four", "", example(four, 4, 1))
	write("receipt-last", "", example(four, 8, 0))
	write("receipt-one", "", example(one, 0, 3))
	write("receipt-quantum", "", example(quantum, 3, 0))
	write("receipt-mixed", "", example(mixed, 5, 2))
	write("receipt-quantum-four", "", example(quantumFour, 5, 0))
	three := example(four, 4, 1)
	three.Receipt.Votes = slices.Delete(slices.Clone(three.Receipt.Votes), 1, 2)
	write("receipt-three-of-four", "", three)

	bad := func(name, wrong string, change func(in *receiptInput)) {
		in := example(four, 4, 1)
		in.Trust.Validators = slices.Clone(in.Trust.Validators)
		change(&in)
		write("receipt-"+name, wrong, in)
	}
	bad("two-of-four", "half of the validators signed", func(in *receiptInput) { in.Receipt.Votes = in.Receipt.Votes[:2] })
	bad("twice", "one validator's vote is counted three times", func(in *receiptInput) {
		v := in.Receipt.Votes[0]
		in.Receipt.Votes = []Vote{v, v, v}
	})
	bad("content", "the content was altered", func(in *receiptInput) { in.Content = content(5) })
	bad("kind", "it is of another kind", func(in *receiptInput) { in.Kind = LeafEntry })
	bad("salt", "the salt is another's", func(in *receiptInput) { in.Salt[3]++ })
	bad("index", "the place is another", func(in *receiptInput) { in.Receipt.Index++ })
	bad("beyond", "the place is beyond the log", func(in *receiptInput) { in.Receipt.Index = 9 })
	bad("size", "the size is not the checkpoint's", func(in *receiptInput) { in.Receipt.Size-- })
	bad("path-short", "the path is cut off", func(in *receiptInput) { in.Receipt.Path = in.Receipt.Path[1:] })
	bad("path-long", "the path goes on", func(in *receiptInput) { in.Receipt.Path = append(in.Receipt.Path, Hash{}) })
	bad("chain", "it is of another chain", func(in *receiptInput) { in.Receipt.Chain = "ward-other" })
	bad("chain-both", "the trust is in another chain, by name", func(in *receiptInput) { in.Receipt.Chain, in.Trust.Chain = "ward-other", "ward-other" })
	bad("height", "the height was altered", func(in *receiptInput) { in.Receipt.Height++ })
	bad("round", "the round was altered", func(in *receiptInput) { in.Receipt.Round = 0 })
	bad("parts", "the block is made up of others", func(in *receiptInput) { in.Receipt.Parts++ })
	bad("time", "a vote's time was altered", func(in *receiptInput) { in.Receipt.Votes[2].Nanos++ })
	bad("signature", "a signature was altered", func(in *receiptInput) { in.Receipt.Votes[2].Signature[7]++ })
	bad("header", "the header was altered", func(in *receiptInput) { in.Receipt.Header[0][0]++ })
	bad("header-long", "the header has one hash too many", func(in *receiptInput) { in.Receipt.Header = append(in.Receipt.Header, Hash{}) })
	bad("origin", "it is a checkpoint of another log", func(in *receiptInput) { in.Trust.Origin[0]++ })
	bad("root", "the checkpoint was altered after it was agreed", func(in *receiptInput) { in.Receipt.Tx[50]++ })
	bad("power", "the trusted validators have other powers", func(in *receiptInput) { in.Trust.Validators[0].Power++ })
	bad("order", "the trusted validators are out of order", func(in *receiptInput) { slices.Reverse(in.Trust.Validators) })
	bad("nobody", "nobody is trusted, and nobody signed", func(in *receiptInput) { in.Trust.Validators, in.Receipt.Votes = []Validator{}, []Vote{} })
	bad("link", "the transaction is not a checkpoint", func(in *receiptInput) { in.Receipt.Tx[0] = byte(KindLink) })
}

func writeChanges(t *testing.T, write func(name, wrong string, input any)) {
	t.Helper()
	c := newConsortium(Ed25519)
	old := c.Trust
	next := []Validator{c.validator(0, Ed25519), c.validator(1, Ed25519), c.validator(2, Ed25519), c.validator(3, MLDSA65)}
	order(next)
	hash, err := ValidatorsHash(next)
	if err != nil {
		t.Fatal(err)
	}
	good := Change{c.signed(7, 1, map[int]Hash{fieldNextValidators: hash}, ChangeFields...), next}
	write("change-grown", "", changeInput{old, good})
	later := old
	later.Height = 9
	write("change-old", "the change is older than who is trusted", changeInput{later, good})
	fewer := good
	fewer.Next = next[:3]
	write("change-fewer", "one of those who were named is left out", changeInput{old, fewer})
	stranger := good
	stranger.Next = slices.Clone(next)
	stranger.Next[1] = c.validator(9, Ed25519)
	order(stranger.Next)
	write("change-stranger", "a stranger is in the place of one who was named", changeInput{old, stranger})
	unsigned := good
	unsigned.Votes = []Vote{}
	write("change-unsigned", "nobody signed", changeInput{old, unsigned})
}

func writeExtensions(write func(name, wrong string, input any)) {
	c, other := newConsortium(Ed25519), newConsortium(Ed25519)
	for n := range 20 {
		c.add(commitment(byte(n)))
		other.add(commitment(byte(n + n/10)))
	}
	at := func(size int64) Trust {
		trust := c.Trust
		trust.Seen = c.seen(size)
		return trust
	}
	write("extension-first", "", extensionInput{c.Trust, c.seen(5), []Hash{}})
	for _, e := range []struct {
		name     string
		from, to int64
	}{{"odd", 7, 20}, {"power", 8, 20}, {"one", 1, 2}, {"same", 13, 13}, {"last", 19, 20}} {
		write("extension-"+e.name, "", extensionInput{at(e.from), c.seen(e.to), c.extension(e.from, e.to)})
	}
	write("extension-fork", "one leaf of before is another", extensionInput{at(13), other.seen(20), other.extension(13, 20)})
	write("extension-same-fork", "one size has two roots", extensionInput{at(13), other.seen(13), []Hash{}})
	write("extension-rolled-back", "the log is shorter than it was", extensionInput{at(13), c.seen(12), []Hash{}})
	write("extension-no-proof", "there is no proof", extensionInput{at(13), c.seen(20), []Hash{}})
	cut := c.extension(13, 20)
	write("extension-cut", "the proof is cut off", extensionInput{at(13), c.seen(20), cut[:len(cut)-1]})
	write("extension-long", "the proof goes on", extensionInput{at(13), c.seen(20), append(slices.Clone(cut), Hash{})})
}

func writeLines(write func(name, wrong string, input any)) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	cards := []string{"ward/card/1\nfirst\n", "ward/card/1\nsecond\n"}
	person, nobody := strings.Repeat("a", 26), strings.Repeat("b", 25)+"a"
	key := LinkKey(c.Origin, Label(c.Salt, person))
	leaves := []Leaf{{key, LineValue(texts(cards)...)}}
	for n := range 40 {
		leaves = append(leaves, Leaf{Key(seed(byte(n))), Hash(seed(byte(n + 1)))})
	}
	signed := c.signed(9, 1, map[int]Hash{fieldApp: trieRoot(leaves, 0)}, StateFields...)
	example := func(who string, cards []string) lineInput {
		p := prove(leaves, LinkKey(c.Origin, Label(c.Salt, who)))
		p.Signed = signed
		return lineInput{c.Trust, who, cards, p}
	}
	write("line-two", "", example(person, cards))
	write("line-substituted", "", example(person, []string{cards[0], "ward/card/1\nforged\n"}))
	write("line-short", "", example(person, cards[:1]))
	write("line-nobody", "", example(nobody, []string{}))
	other := example(person, cards)
	other.Person = nobody
	write("line-other", "the proof is of another person", other)
	hidden := example(person, cards)
	hidden.Proof.Other = &Leaf{key, *hidden.Proof.Value}
	hidden.Proof.Value = nil
	write("line-hidden", "what is there is called another's", hidden)
	value := example(person, cards)
	forged := LineValue(texts(cards[:1])...)
	value.Proof.Value = &forged
	write("line-value", "the value is another", value)
	path := example(person, cards)
	path.Proof.Path = path.Proof.Path[1:]
	write("line-path", "the path is cut off", path)
	salt := example(person, cards)
	salt.Trust.Salt[0]++
	write("line-salt", "the organisation's salt is another", salt)
}

func writeNames(write func(name, wrong string, input any)) {
	c := newConsortium(Ed25519, MLDSA65, Ed25519)
	var names Names
	var leaves []Leaf
	operator := Key(seed(40))
	for i, origin := range []Key{c.Origin, Key(seed(41))} {
		l := NamedLog{Origin: origin, Operator: operator, SaltHash: SaltHash(c.Salt), Size: int64(i) * 7, Root: Hash(seed(byte(42 + i))), Name: []string{"Hillside Clinic", "Clínica الأمل"}[i]}
		names.Logs = append(names.Logs, l)
		leaves = append(leaves, Leaf{LogKey(origin), l.value()})
	}
	for i, v := range c.Validators {
		m := Member{Operator: Key(seed(byte(50 + i))), Power: v.Power, Kind: v.Kind, Key: v.Key, Name: []string{"Hillside", "Riverside", "Patients’ Union"}[i]}
		if i == 1 {
			m.Address = "ledger.riverside.example:26656"
		}
		named := NamedMember{Member: m.Bytes(), Counts: bytes.Repeat([]byte{byte(i)}, 24)}
		names.Members = append(names.Members, named)
		leaves = append(leaves, Leaf{MemberKey(m.Operator), StateSum("member", named.Member, named.Counts)})
	}
	for i := range names.Logs {
		names.Logs[i].Path = prove(leaves, LogKey(names.Logs[i].Origin)).Path
	}
	for i := range names.Members {
		names.Members[i].Path = prove(leaves, MemberKey(Key(seed(byte(50+i))))).Path
	}
	names.Signed = c.signed(19, 0, map[int]Hash{fieldApp: trieRoot(leaves, 0)}, StateFields...)
	write("names-three", "", namesInput{c.Trust, names})
	salted := namesInput{c.Trust, names}
	salted.Trust.Salt = Key(seed(60))
	write("names-salt", "", salted) // good in itself: that the salt is another is for the reader to tell
	for _, bad := range []struct {
		name, wrong string
		change      func(n *Names)
	}{
		{"log", "the log is called otherwise", func(n *Names) { n.Logs[0].Name = "Riverside Clinic" }},
		{"origin", "the log is another", func(n *Names) { n.Logs[0].Origin = Key(seed(61)) }},
		{"size", "the log's head is another", func(n *Names) { n.Logs[1].Size++ }},
		{"member", "a member is called otherwise", func(n *Names) {
			m, _ := ParseMember(n.Members[2].Member)
			m.Name = "Patients' Union"
			n.Members[2].Member = m.Bytes()
		}},
		{"cut", "a member is cut off", func(n *Names) { n.Members[1].Member = n.Members[1].Member[:len(n.Members[1].Member)-1] }},
		{"more", "something follows a member", func(n *Names) { n.Members[1].Member = append(slices.Clone(n.Members[1].Member), 'x') }},
		{"counts", "a member's counts are others", func(n *Names) { n.Members[0].Counts = bytes.Repeat([]byte{9}, 24) }},
		{"counts-short", "a member's counts are cut off", func(n *Names) { n.Members[0].Counts = n.Members[0].Counts[:23] }},
		{"path", "a path is cut off", func(n *Names) { n.Members[0].Path = n.Members[0].Path[1:] }},
		{"none", "nothing is named", func(n *Names) { n.Logs, n.Members = []NamedLog{}, []NamedMember{} }},
		{"unsigned", "nobody signed", func(n *Names) { n.Signed.Votes = []Vote{} }},
	} {
		n := names
		n.Logs, n.Members = slices.Clone(names.Logs), slices.Clone(names.Members)
		bad.change(&n)
		write("names-"+bad.name, bad.wrong, namesInput{c.Trust, n})
	}
}
