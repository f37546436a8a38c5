package ledger

import (
	"fmt"
	"strings"
)

// ParseTile is parseTile, for its fuzz test.
func ParseTile(path string) (level, n, width int64, err error) {
	t, err := parseTile(path)
	return t.level, t.n, t.width, err
}

// TilePath writes the one path of a tile.
func TilePath(level, n, width int64) string {
	number := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		number = fmt.Sprintf("x%03d/", n%1000) + number
	}
	path := "entries"
	if level >= 0 {
		path = fmt.Sprint(level)
	}
	if path += "/" + strings.TrimSpace(number); width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}
