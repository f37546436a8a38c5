package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"ward"
)

// maxNotice is the longest line of the event stream: a notice is five short fields.
const maxNotice = 4 << 10

// Listen calls on for each notice of the live stream until it ends: the server ends it now and then, and a client that
// still listens calls again and reads what it may have missed.
func (c *Client) Listen(ctx context.Context, on func(ward.Notice)) error {
	answer, err := c.send(ctx, http.MethodGet, "/api/events", "", nil, http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxNotice)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var n ward.Notice
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		on(n)
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("listen: %w", err)
	}
	return ctx.Err()
}
