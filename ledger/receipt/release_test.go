package receipt

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestTheListOfFilesIsWhatSha256sumChecks(t *testing.T) {
	files := fstest.MapFS{
		"index.html": {Data: []byte("page")}, "assets/main.js": {Data: []byte("code")}, ".keep": {}, FilesName: {Data: []byte("an older list")},
	}
	list, err := FileList(files)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, FilesName), list, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.Command("sha256sum", "--check", "--strict", FilesName)
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil || string(out) != "assets/main.js: OK\nindex.html: OK\n" {
		t.Errorf("sha256sum says %v\n%s", err, out)
	}
	again, err := FileList(os.DirFS(dir))
	if err != nil || string(again) != string(list) {
		t.Errorf("on the disk the list is %q, %v", again, err)
	}
}
