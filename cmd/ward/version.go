package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

// release is the number of this release; a build from between two releases adds its commit.
const release = "0.1.0"

const versionAbout = `Says the version, and the SHA-256 of this program and of the list of the app's files in it (/files.txt), by which the
ledger knows releases. ` + "`ward doctor`" + ` says whether they are recorded.`

func versionCommand() command {
	c := command{name: "version", line: "say which Ward this is", about: versionAbout}
	c.run = func(_ context.Context, t terminal, args []string) error {
		if err := parse(t, c, pflag.NewFlagSet(c.name, pflag.ContinueOnError), args); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "ward %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		for _, p := range programs() {
			fmt.Fprintf(t.out, "%s %s\n", p.Sum, p.Kind)
		}
		return nil
	}
	return c
}

// version is the release with the commit, as far as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	v := release
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			v += "+" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			v += ".modified"
		}
	}
	return v
}
