package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
)

// A release is known by a SHA-256: the server by that of its program, firmware by that of its file, the app by that of
// the list of its files, which it carries. The chain keeps all that were ever recorded, each with its number.

// FilesName is the app's list of its files, among them.
const FilesName = "files.txt"

// FileList lists files with their SHA-256, as sha256sum writes it and checks it: by name, but for the list itself and for
// names that begin with a dot. It is empty if there are none.
func FileList(files fs.FS) ([]byte, error) {
	var list bytes.Buffer
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == FilesName || entry.Name()[0] == '.' {
			return err
		}
		file, err := files.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		h := sha256.New()
		if _, err := io.Copy(h, file); err != nil {
			return err
		}
		fmt.Fprintf(&list, "%s  %s\n", hex.EncodeToString(h.Sum(nil)), name)
		return nil
	})
	return list.Bytes(), err
}

// ReleasedKey is where the state holds the number of a recorded release, for good.
func ReleasedKey(kind byte, sum Hash) Key { return StateKey("released", []byte{kind}, sum[:]) }

// ReleasedValue is what it holds there: the number, after 24 zero bytes.
func ReleasedValue(number uint64) (value Hash) {
	binary.BigEndian.PutUint64(value[24:], number)
	return value
}

// ReleasedNumber undoes ReleasedValue.
func ReleasedNumber(value Hash) uint64 { return binary.BigEndian.Uint64(value[24:]) }

// ReleaseKinds are what is given out, by the words for it.
var ReleaseKinds = map[string]byte{"server": ReleaseServer, "app": ReleaseApp, "firmware": ReleaseFirmware}
