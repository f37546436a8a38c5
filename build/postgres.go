package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// database is a PostgreSQL of our own: started on first use in a folder that is thrown away, reachable through a socket
// in that folder only, and durable like a real one, since tests pull its plug. PostgreSQL refuses to run as root, so
// root starts it as the user "postgres", whom Debian's package makes.
type database struct {
	guard  sync.Mutex
	dir    string
	server *exec.Cmd
}

// with runs a command with WARD_TEST_POSTGRES naming a new, empty database.
func (d *database) with(name, program string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		address, err := d.create(ctx, name)
		if err != nil {
			return err
		}
		return command(ctx, []string{"WARD_TEST_POSTGRES=" + address}, program, args...)
	}
}

// units runs the unit tests that ask a database: those of the packages that have one opened for them.
func (d *database) units(ctx context.Context) error {
	const asks = "ward/store/storetest"
	list := exec.CommandContext(ctx, "go", "list", "-f", `{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("list the packages: %w", err)
	}
	args := []string{"test", "-skip", "^(Fuzz|TestManual)"}
	for line := range strings.Lines(string(out)) {
		if imports := strings.Fields(line); slices.Contains(imports[1:], asks) {
			args = append(args, imports[0])
		}
	}
	return d.with("unit", "go", args...)(ctx)
}

func (d *database) create(ctx context.Context, name string) (address string, err error) {
	d.guard.Lock()
	defer d.guard.Unlock()
	if d.server == nil {
		if err := d.start(ctx); err != nil {
			return "", fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
	createdb, err := postgresTool("createdb")
	if err != nil {
		return "", err
	}
	if err := command(ctx, nil, createdb, "--host", d.dir, "--username", "ward", name); err != nil {
		return "", err
	}
	return "postgres://ward@/" + name + "?host=" + url.QueryEscape(d.dir), nil
}

func (d *database) start(ctx context.Context) error {
	initdb, err := postgresTool("initdb")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ward-postgres-")
	if err != nil {
		return err
	}
	d.dir = dir
	as, err := notRoot(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	initialise := exec.CommandContext(ctx, initdb, "--pgdata", data, "--username", "ward", "--auth", "trust", "--encoding", "UTF8", "--no-locale")
	initialise.SysProcAttr, initialise.Dir = as, dir
	if out, err := initialise.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	postgres, err := postgresTool("postgres")
	if err != nil {
		return err
	}
	server := exec.Command(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	server.SysProcAttr, server.Dir = as, dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return err
	}
	d.server = server
	return d.wait(ctx)
}

// wait returns once the server answers. The program that asks waits by itself, so this is a loop without sleeping.
func (d *database) wait(ctx context.Context) error {
	psql, err := postgresTool("psql")
	if err != nil {
		return err
	}
	for range 1000 {
		ready := exec.CommandContext(ctx, psql, "--host", d.dir, "--username", "ward", "--dbname", "postgres", "--command", "SELECT 1")
		if ready.Run() == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	log, err := os.ReadFile(filepath.Join(d.dir, "log"))
	return errors.Join(fmt.Errorf("no answer; its log says:\n%s", log), err)
}

// stop ends the server and removes its folder.
func (d *database) stop() {
	if d.server != nil {
		d.server.Process.Signal(syscall.SIGINT) // PostgreSQL's "fast shutdown"
		d.server.Wait()
	}
	if d.dir != "" {
		os.RemoveAll(d.dir)
	}
}

// notRoot gives a folder to the user postgres and says how to run as that user, if we are root.
func notRoot(dir string) (*syscall.SysProcAttr, error) {
	own := &syscall.SysProcAttr{Setpgid: true} // so that an interrupt at the terminal is ours to pass on
	if os.Geteuid() != 0 {
		return own, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.Atoi(postgres.Uid)
	gid, err2 := strconv.Atoi(postgres.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	own.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return own, nil
}

// postgresTool finds a program of PostgreSQL. Debian keeps those of the server out of the PATH, a folder a version.
func postgresTool(name string) (string, error) {
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s is missing: apt-get install postgresql", name)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}
