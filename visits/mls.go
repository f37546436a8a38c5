package visits

import (
	"encoding/binary"
	"errors"
)

// The outside of MLS messages (RFC 9420, section 6): which group and epoch they are for, and what they are. The rest is
// sealed to the members or signed by them, and theirs to check.

// Kinds of message, as the delivery service tells them apart.
const (
	kindCommit      = "commit"
	kindApplication = "application"
	kindGroupInfo   = "group-info"
)

// suite is the one cipher suite of visits, by the number that ts-mls gives it: MLS_256_XWING_AES256GCM_SHA512_Ed25519.
// Another would be a downgrade.
const suite = 83

// message is the outside of one.
type message struct {
	kind     string
	group    string
	epoch    uint64
	external bool // a commit by someone who joins by themselves, and so is not sealed
}

var errMLS = errors.New("this is not a message of MLS 1.0")

// parseMessage reads the outside of an MLSMessage. Visits have no proposals by themselves, welcomes or key packages: who
// was admitted joins with a commit.
func parseMessage(data []byte) (message, error) {
	r := reader{data: data}
	const version10 = 1
	if r.uint16() != version10 {
		return message{}, errMLS
	}
	var m message
	switch wire := r.uint16(); wire {
	case 1: // PublicMessage: FramedContent
		m.group, m.epoch = r.vector(), r.uint64()
		switch sender := r.uint8(); sender {
		case 1, 2: // member, external: an index
			r.bytes(4)
		case 3, 4: // a new member's proposal, or commit
			m.external = true
		default:
			r.failed = true
		}
		r.vector() // authenticated data
		m.kind = contentKind(r.uint8())
	case 2: // PrivateMessage
		m.group, m.epoch = r.vector(), r.uint64()
		m.kind = contentKind(r.uint8())
	case 4: // GroupInfo: GroupContext
		m.kind = kindGroupInfo
		if r.uint16() != version10 || r.uint16() != suite {
			r.failed = true
		}
		m.group, m.epoch = r.vector(), r.uint64()
	}
	if r.failed || m.kind == "" {
		return message{}, errMLS
	}
	return m, nil
}

func contentKind(content byte) string {
	switch content {
	case 1:
		return kindApplication
	case 3:
		return kindCommit
	}
	return ""
}

// reader reads the presentation language of TLS with MLS's variable-size vectors (RFC 9420, section 2.1). After a
// failure it gives zeros.
type reader struct {
	data   []byte
	failed bool
}

func (r *reader) bytes(n int) []byte {
	if r.failed || n > len(r.data) {
		r.failed = true
		return make([]byte, min(n, 8))
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) uint8() byte    { return r.bytes(1)[0] }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.bytes(2)) }
func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.bytes(8)) }

// vector reads a vector of bytes. Its length is a variable-size integer in the fewest bytes that hold it.
func (r *reader) vector() string {
	first := r.uint8()
	length, least := int(first&0x3f), 0
	switch first >> 6 {
	case 1:
		length, least = length<<8|int(r.uint8()), 1<<6
	case 2:
		rest := r.bytes(3)
		length, least = length<<24|int(rest[0])<<16|int(rest[1])<<8|int(rest[2]), 1<<14
	case 3:
		r.failed = true
	}
	if r.failed || length < least || length > len(r.data) {
		r.failed = true
		return ""
	}
	return string(r.bytes(length))
}
