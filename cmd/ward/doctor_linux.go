package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// clockError is what adjtimex answers when nothing keeps the clock right (TIME_ERROR in timex.h).
const clockError = 5

func checkClock(context.Context, *Config) findings {
	var timex syscall.Timex
	state, err := syscall.Adjtimex(&timex)
	if err != nil {
		return warn("see that a time service runs", "the system does not say whether the clock is right: %v", err)
	}
	if state == clockError {
		return warn("run a time service, such as systemd-timesyncd or chrony: sign-in proofs and certificates need the time",
			"nothing keeps the clock right")
	}
	return ok("kept right by a time service")
}

// lowSpace is when to make room: a day of a busy clinic's files.
const lowSpace = 2 << 30

func checkDisk(_ context.Context, c *Config) (all findings) {
	dir := c.Dir
	for isMissing(dir) {
		dir = filepath.Dir(dir)
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return wrong("look at the disk", "%v", err)
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < lowSpace {
		all = append(all, warn("make room", "only %d MiB are free", free>>20)...)
	}
	encrypted, err := encrypted(dir)
	switch {
	case err != nil || !encrypted:
		return append(all, warn("encrypt it with AES, as LUKS does, unless the machine below does: charts are sealed anyway, metadata and logs are not",
			"%s is not seen to be on an encrypted disk", dir)...)
	}
	return append(all, ok("%s is on an encrypted disk", dir)...)
}

// encrypted tells whether the disk under a folder, or one of those that it is made of, is a dm-crypt device.
func encrypted(dir string) (bool, error) {
	about, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	device := about.Sys().(*syscall.Stat_t).Dev
	// The kernel's encoding of a device number: 12 bits of major, 20 of minor.
	major, minor := (device>>8)&0xfff, device&0xff|(device>>12)&0xfff00
	return isCrypt(fmt.Sprintf("/sys/dev/block/%d:%d", major, minor)), nil
}

func isCrypt(device string) bool {
	uuid, err := os.ReadFile(filepath.Join(device, "dm", "uuid"))
	if err == nil && strings.HasPrefix(string(uuid), "CRYPT-") {
		return true
	}
	below, _ := filepath.Glob(filepath.Join(device, "slaves", "*"))
	for _, slave := range below {
		if isCrypt(slave) {
			return true
		}
	}
	return false
}
