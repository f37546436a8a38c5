package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"ward/ledger/receipt"
)

// How web/ becomes web/dist:
//
//   - index.html names its scripts and styles by their source, as in src="/src/main.tsx". Each becomes an entry point, is
//     bundled into assets/ under a name with its hash, and the page is written with the new names. Nothing is inline.
//   - Code that is loaded later with import() is split into pieces of its own.
//   - Workers become files beside the page, at addresses that never change (src/trusted.ts lets no other run).
//   - src/sw.ts, the service worker, is the last of them: ASSETS in it is the list of the other files that it keeps, and
//     VERSION changes when one of them does.
//   - files.txt lists all of them with their SHA-256: a release of the app is known by its own.
//   - public/ is copied as it is: manifest, icons.
const (
	webRoot   = "web"
	webOut    = "web/dist"
	worker    = "src/sw.ts"
	stampName = ".lock-hash" // in node_modules: the lock that was installed
)

// workers are the scripts that run beside the page, by their source: what each is called.
var workers = map[string]string{
	"src/visit/media.worker.ts":      "frames.js",
	"src/visit/background.worker.ts": "background.js",
}

// later is what the service worker does not keep beforehand, because few ask for it: who does gets it then.
func later(name string) bool { return name == "background.js" || path.Ext(name) == ".tflite" }

// webDependencies installs what the locks of web and e2e name, if they changed since the last time.
func webDependencies(ctx context.Context) error {
	for _, dir := range []string{webRoot, "e2e"} {
		if err := npm(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func npm(ctx context.Context, dir string) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a folder without dependencies
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want := hex.EncodeToString(sum[:])
	stamp := filepath.Join(dir, "node_modules", stampName)
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm of Node 20 or newer is needed: https://nodejs.org, or `apt-get install nodejs npm`")
	}
	// The packages need no install scripts, so none may run.
	if err := command(ctx, nil, "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// web bundles the app.
func web(context.Context) error {
	page, err := os.ReadFile(filepath.Join(webRoot, "index.html"))
	if err != nil {
		return err
	}
	if err := emptyDist(); err != nil {
		return err
	}
	names, err := bundle(sources(page))
	if err != nil {
		return err
	}
	for source, name := range names {
		page = bytes.ReplaceAll(page, []byte(`"/`+source+`"`), []byte(`"`+name+`"`))
	}
	if err := os.WriteFile(filepath.Join(webOut, "index.html"), page, 0o644); err != nil {
		return err
	}
	if err := os.CopyFS(webOut, os.DirFS(filepath.Join(webRoot, "public"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for source, name := range workers {
		if err := script(source, name, nil); err != nil {
			return err
		}
	}
	if err := serviceWorker(); err != nil {
		return err
	}
	list, err := receipt.FileList(os.DirFS(webOut))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(webOut, receipt.FilesName), list, 0o644)
}

var sourceRef = regexp.MustCompile(`(?:src|href)="/(src/[^"]+)"`)

// sources are the entry points that a page names.
func sources(page []byte) []string {
	var list []string
	for _, match := range sourceRef.FindAllSubmatch(page, -1) {
		list = append(list, string(match[1]))
	}
	return list
}

// emptyDist leaves .keep, which is committed so that the program builds before the app was bundled.
func emptyDist() error {
	entries, err := os.ReadDir(webOut)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(webOut, 0o755)
	}
	for _, entry := range entries {
		if entry.Name() != ".keep" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(webOut, entry.Name())))
		}
	}
	return err
}

// options are what all bundles share. Browsers that Ward supports have WebAuthn PRF, and so all of these.
func options() api.BuildOptions {
	return api.BuildOptions{
		AbsWorkingDir: must(filepath.Abs(webRoot)),
		Bundle:        true,
		Format:        api.FormatESModule,
		Target:        api.ES2022,
		Platform:      api.PlatformBrowser,
		JSX:           api.JSXAutomatic, JSXImportSource: "preact",
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Charset:       api.CharsetUTF8,
		LegalComments: api.LegalCommentsLinked, // licences, beside each bundle
		Loader: map[string]api.Loader{
			".woff2": api.LoaderFile, ".svg": api.LoaderFile, ".png": api.LoaderFile, ".webp": api.LoaderFile, ".tflite": api.LoaderFile,
		},
		Plugins:    []api.Plugin{assembly},
		PublicPath: "/",
		ChunkNames: "assets/[name]-[hash]", AssetNames: "assets/[name]-[hash]",
		LogLevel: api.LogLevelSilent,
	}
}

// assembly is for small WebAssembly modules, kept as text that a person can review. Each is assembled into the script that
// imports it.
var assembly = api.Plugin{Name: "wat", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `\.wat$`}, func(source api.OnLoadArgs) (api.OnLoadResult, error) {
		dir, err := os.MkdirTemp("", "ward-wat")
		if err != nil {
			return api.OnLoadResult{}, err
		}
		defer os.RemoveAll(dir)
		made := filepath.Join(dir, "program.wasm")
		if text, err := exec.Command("node", filepath.Join(webRoot, "node_modules/wabt/bin/wat2wasm"), source.Path, "-o", made).CombinedOutput(); err != nil {
			return api.OnLoadResult{}, fmt.Errorf("assemble %s: %w\n%s", source.Path, err, text)
		}
		program, err := os.ReadFile(made)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		contents := string(program)
		return api.OnLoadResult{Contents: &contents, Loader: api.LoaderBinary}, nil
	})
}}

// bundle bundles the entry points and returns the address of each by its source.
func bundle(entries []string) (map[string]string, error) {
	if len(entries) == 0 {
		return nil, errors.New("index.html names no script under /src")
	}
	o := options()
	o.EntryPoints = entries
	o.Outdir = must(filepath.Abs(webOut))
	o.Splitting = true
	o.Metafile = true
	o.Write = true
	o.EntryNames = "assets/[name]-[hash]"
	result := api.Build(o)
	if len(result.Errors) > 0 {
		return nil, messages(result.Errors)
	}
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for output, about := range meta.Outputs {
		if slices.Contains(entries, about.EntryPoint) {
			names[about.EntryPoint] = "/" + strings.TrimPrefix(filepath.ToSlash(output), "dist/")
		}
	}
	if len(names) != len(entries) {
		return nil, fmt.Errorf("esbuild made %d bundles of %d entry points", len(names), len(entries))
	}
	return names, nil
}

// serviceWorker bundles the worker last, since it lists what was made before it.
func serviceWorker() error {
	assets, version, err := made()
	if err != nil {
		return err
	}
	list, err := json.Marshal(assets)
	if err != nil {
		return err
	}
	return script(worker, "sw.js", map[string]string{"ASSETS": string(list), "VERSION": `"` + version + `"`})
}

// script bundles a source into one file beside the page.
func script(source, name string, define map[string]string) error {
	o := options()
	o.EntryPoints = []string{source}
	o.Outfile = must(filepath.Abs(filepath.Join(webOut, name)))
	o.Write = true
	o.Define = define
	if result := api.Build(o); len(result.Errors) > 0 {
		return messages(result.Errors)
	}
	return nil
}

// made lists the addresses of the files in dist that are kept on the device, with a hash over their names and contents.
func made() (addresses []string, version string, err error) {
	sum := sha256.New()
	err = fs.WalkDir(os.DirFS(webOut), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Base(name) == ".keep" || strings.HasSuffix(name, ".LEGAL.txt") || later(name) {
			return err
		}
		text, err := os.ReadFile(filepath.Join(webOut, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(text))
		sum.Write(text)
		addresses = append(addresses, "/"+name)
		return nil
	})
	return addresses, hex.EncodeToString(sum.Sum(nil)[:8]), err
}

func messages(list []api.Message) error {
	return errors.New(strings.Join(api.FormatMessages(list, api.FormatMessagesOptions{}), ""))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
