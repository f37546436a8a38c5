package visits

import (
	"encoding/binary"
	"strings"
	"testing"
)

// build writes MLS's presentation language: uint8, uint16 and uint64 as they are, a string as a vector.
func build(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch part := part.(type) {
		case byte:
			b = append(b, part)
		case uint16:
			b = binary.BigEndian.AppendUint16(b, part)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, part)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, part)
		case string:
			switch n := len(part); {
			case n < 1<<6:
				b = append(b, byte(n))
			case n < 1<<14:
				b = binary.BigEndian.AppendUint16(b, uint16(n)|1<<14)
			default:
				b = binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
			}
			b = append(b, part...)
		}
	}
	return b
}

func TestTheOutsideOfMLSMessages(t *testing.T) {
	const group = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	long := strings.Repeat("x", 20_000)
	tests := map[string]struct {
		data []byte
		want message
	}{
		"sealed commit":      {build(uint16(1), uint16(2), group, uint64(7), byte(3), "", "sealed"), message{kindCommit, group, 7, false}},
		"sealed application": {build(uint16(1), uint16(2), group, uint64(8), byte(1), "", "sealed"), message{kindApplication, group, 8, false}},
		"external commit":    {build(uint16(1), uint16(1), group, uint64(9), byte(4), long, byte(3)), message{kindCommit, group, 9, true}},
		"group info":         {build(uint16(1), uint16(4), uint16(1), uint16(suite), group, uint64(3), "tree"), message{kindGroupInfo, group, 3, false}},
	}
	for name, test := range tests {
		got, err := parseMessage(test.data)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
		for cut := range 6 { // every beginning of it is refused
			if _, err := parseMessage(test.data[:cut]); err == nil {
				t.Errorf("%s: %d bytes of it are taken for a message", name, cut)
			}
		}
	}
	bad := map[string][]byte{
		"nothing":               nil,
		"another version":       build(uint16(2), uint16(2), group, uint64(7), byte(3)),
		"another kind":          build(uint16(1), uint16(6), group, uint64(7), byte(3)),
		"another content":       build(uint16(1), uint16(2), group, uint64(7), byte(4)),
		"another sender":        build(uint16(1), uint16(1), group, uint64(7), byte(5), "", byte(3)),
		"a proposal":            build(uint16(1), uint16(2), group, uint64(7), byte(2)),
		"a welcome":             build(uint16(1), uint16(3), uint16(suite), "secrets"),
		"a key package":         build(uint16(1), uint16(5), uint16(1), uint16(suite), "init"),
		"a weaker suite":        build(uint16(1), uint16(4), uint16(1), uint16(1), group, uint64(3), "tree"),
		"a length too long":     append(build(uint16(1), uint16(2)), 0x40, 0x05, 'a', 'a', 'a', 'a', 'a'),
		"a length of 8 bytes":   append(build(uint16(1), uint16(2)), 0xc0, 0, 0, 0, 0, 0, 0, 1),
		"a vector past the end": append(build(uint16(1), uint16(2)), 0x80, 0xff, 0xff, 0xff),
	}
	for name, data := range bad {
		if got, err := parseMessage(data); err == nil {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(build(uint16(1), uint16(2), "group", uint64(7), byte(3), "", "sealed"))
	f.Add(build(uint16(1), uint16(1), "group", uint64(9), byte(4), "", byte(3)))
	f.Add(build(uint16(1), uint16(4), uint16(1), uint16(suite), "group", uint64(3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMessage(data)
		if err != nil && m != (message{}) {
			t.Errorf("%v, and %+v", err, m)
		}
		if err == nil && len(m.group) > len(data) {
			t.Errorf("the group is longer than the message")
		}
	})
}
