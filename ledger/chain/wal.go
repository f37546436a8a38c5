package chain

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// CometBFT's write-ahead log holds what this member heard and said since the newest block, and is played again at a start.
// Two things of it are seen to before that.

// keepLogs is how many older files of it, of 10 MB each, a start leaves; running, it grows to 1 GB.
const keepLogs = 3

// trimLogs deletes the oldest files of the write-ahead log, which only the newest block is played again from.
func trimLogs(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "wal.[0-9]*"))
	slices.Sort(names)
	for len(names) > keepLogs {
		os.Remove(names[0])
		names = names[1:]
	}
}

// maxRecord is CometBFT's bound of a record, 1 MiB and a little.
const maxRecord = 1<<20 + 24

// mendLog cuts off the log's end from the first record that is not whole, as when the power goes while one is written.
// CometBFT goes on behind it and, at the start after the next, finds nothing of what it wrote there: it has forgotten how it
// voted and may not vote otherwise, and once more than a third have, no block ever comes.
func mendLog(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "wal"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	whole, err := wholeRecords(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || info.Size() == whole {
		return err
	}
	return errors.Join(f.Truncate(whole), f.Sync())
}

// wholeRecords is how many bytes at the beginning are records: each a checksum, a length, and as many bytes.
func wholeRecords(from io.Reader) (whole int64, err error) {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	for record := make([]byte, maxRecord); ; {
		var header [8]byte
		if _, err := io.ReadFull(from, header[:]); err != nil {
			return whole, unlessEnd(err)
		}
		length := binary.BigEndian.Uint32(header[4:])
		if length == 0 || length > maxRecord { // zeros are what some disks leave behind a file's end
			return whole, nil
		}
		if _, err := io.ReadFull(from, record[:length]); err != nil {
			return whole, unlessEnd(err)
		}
		if crc32.Checksum(record[:length], castagnoli) != binary.BigEndian.Uint32(header[:4]) {
			return whole, nil
		}
		whole += 8 + int64(length)
	}
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
