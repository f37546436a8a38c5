package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"ward/simulator"
	"ward/testdata"
)

const demoAbout = `Starts a clinic in a folder that goes when it ends, founds it, and fills it with staff, patients and their records, all
through the same client that a browser's app is. It ends with a sign-in link for each person: open one, make a passkey,
and you are in. With --once it plays the story instead, checks every step, and ends with an error if one fails.`

type demoOptions struct {
	once     bool
	patients string
	keep     string
}

func demoCommand() command {
	c := command{name: "demo", line: "try a clinic that is filled with sample people", about: demoAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		var o demoOptions
		config, rest, err := readConfig(t, c, func(f *pflag.FlagSet) {
			f.BoolVar(&o.once, "once", false, "play the story, check each step, and end")
			f.StringVar(&o.patients, "patients", "", "a `folder` of other FHIR R4 bundles (*.json, a patient each) than the shipped ones")
			f.StringVar(&o.keep, "keep", "", "leave behind, in this `folder`: data (all that the server stored, logs included), export (a patient's), recovery-code (that patient's)")
		}, args)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return usageError{fmt.Errorf("demo takes no %q", rest[0])}
		}
		return demo(ctx, t, &config, o)
	}
	return c
}

// patients is the folder of bundles: the one given, or those that the program carries.
func (o demoOptions) bundles() (fs.FS, error) {
	if o.patients == "" {
		return testdata.Patients(), nil
	}
	if _, err := os.Stat(o.patients); err != nil {
		return nil, hinted(fmt.Errorf("patients: %w", err), "Give --patients a folder of FHIR bundles.")
	}
	return os.DirFS(o.patients), nil
}

// demo runs a clinic in this process and fills it, or plays the story in it.
func demo(ctx context.Context, t terminal, config *Config, o demoOptions) (err error) {
	bundles, err := o.bundles()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "ward-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if o.keep != "" {
		if err := os.MkdirAll(o.keep, 0o700); err != nil {
			return fmt.Errorf("keep: %w", err)
		}
	}
	config.Dir = filepath.Join(folder, "data")
	if config.Name == "Ward clinic" {
		config.Name = "Hillside Clinic"
	}
	if err := config.prepare(); err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(config.Dir, "ward.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	listener, err := listenForDemo(config, o)
	if err != nil {
		return err
	}
	defer listener.Close()
	config.LogLevel = "debug" // all that could be logged is among what is searched
	here, err := clinic(ctx, config, config.logger(terminal{err: logs}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, here.close()) }()
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- here.server.Serve(serving, listener) }()
	link, err := here.found(ctx, config.Name)
	if err == nil {
		if o.once {
			err = tellStory(ctx, t, here, config, simulator.Config{Origin: config.Origin, Link: link, Patients: bundles}, o)
		} else {
			err = welcome(ctx, t, config, simulator.Config{Origin: config.Origin, Link: link, Patients: bundles}, o)
		}
	}
	stop()
	return errors.Join(err, <-ended)
}

// listenForDemo takes the configured address; the story takes any that is free, since nobody types it.
func listenForDemo(config *Config, o demoOptions) (net.Listener, error) {
	address := config.Listen
	if o.once {
		address = "localhost:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, hinted(fmt.Errorf("listen: %w", err), "Is another Ward running? Choose another address with --listen.")
	}
	if o.once {
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, err
		}
		config.Origin = "http://localhost:" + port
	}
	return listener, nil
}

// welcome fills the clinic, shows who can sign in how, and waits.
func welcome(ctx context.Context, t terminal, config *Config, s simulator.Config, o demoOptions) error {
	bar := &progress{w: t.out}
	s.Progress = bar.show
	c, err := simulator.Found(ctx, s)
	if err == nil {
		err = c.Fill(ctx)
	}
	bar.end()
	if err != nil {
		return err
	}
	if o.keep != "" {
		if err := keepExport(ctx, c.Amina, o.keep); err != nil {
			return err
		}
		if err := keepData(config, o.keep); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.out, "\nThe clinic is open: %s\n\nSign in as one of its people. Each link opens once more whenever you like; it adds a passkey on this device:\n\n", config.Origin)
	for _, p := range []struct {
		who string
		*simulator.Person
	}{
		{"patient", c.Amina},
		{"clinician, founder", c.Founder},
		{"clinician", c.Second},
		{"front desk", c.Desk},
		{"security officer", c.Security},
		{"data protection officer", c.Privacy},
	} {
		fmt.Fprintf(t.out, "  %-16s %-24s %s/recover#%s\n", p.Name, p.who, config.Origin, p.Code.Text())
	}
	fmt.Fprintf(t.out, "\nUse a window for each (a private one for the second), and Ctrl-C to end; the clinic goes with it.\n")
	<-ctx.Done()
	return nil
}

// keepExport leaves a patient's export and code behind.
func keepExport(ctx context.Context, p *simulator.Person, keep string) error {
	if err := os.WriteFile(filepath.Join(keep, "recovery-code"), []byte(p.Code.Text()+"\n"), 0o600); err != nil {
		return err
	}
	export := filepath.Join(keep, "export")
	if err := os.RemoveAll(export); err != nil {
		return err
	}
	return p.Export(ctx, export)
}

// keepData leaves behind what the server stored.
func keepData(config *Config, keep string) error {
	data := filepath.Join(keep, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	return walkLive(config.Dir, func(path string, entry os.DirEntry) error {
		name, err := filepath.Rel(config.Dir, path)
		to := filepath.Join(data, name)
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(to, 0o700)
		case !entry.Type().IsRegular(): // the socket by which an operator asks
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o600)
	})
}

// progress shows the step that runs on one line of a terminal.
type progress struct {
	w    io.Writer
	last string
}

func (p *progress) show(step string, done, total int) {
	if p.last != "" && p.last != step {
		fmt.Fprintln(p.w)
	}
	p.last = step
	var bar bytes.Buffer
	const width = 20
	for i := range width {
		if i*total < done*width {
			bar.WriteByte('#')
		} else {
			bar.WriteByte('.')
		}
	}
	fmt.Fprintf(p.w, "\r  %-40s %s %d of %d", step, bar.String(), done, total)
}

func (p *progress) end() {
	if p.last != "" {
		fmt.Fprintln(p.w)
	}
}
