// Package bus tells the parts and replicas of Ward what happened, as it happens. It is NATS: inside this process and
// without a port by default, or the servers of an outside cluster. Notices are hints to look again and hold ids
// only; one that gets lost costs a person a reload, nothing more.
package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ward"
)

// Config is empty for an engine inside this process.
type Config struct {
	Servers []string // of an outside cluster: nats://host:4222
}

// Bus is an open bus.
type Bus struct {
	conn     *nats.Conn
	embedded *server.Server
}

// readyTimeout is how long the engine inside may take to start; it takes milliseconds.
const readyTimeout = 10 * time.Second

// Open starts or joins the bus.
func Open(config Config) (*Bus, error) {
	options := []nats.Option{nats.Name("ward"), nats.MaxReconnects(-1)}
	if len(config.Servers) > 0 {
		conn, err := nats.Connect(strings.Join(config.Servers, ","), options...)
		if err != nil {
			return nil, fmt.Errorf("join the bus: %w", err)
		}
		return &Bus{conn: conn}, nil
	}
	embedded, err := server.NewServer(&server.Options{ServerName: "ward", DontListen: true, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	embedded.Start()
	if !embedded.ReadyForConnections(readyTimeout) {
		embedded.Shutdown()
		return nil, errors.New("start the bus: it was not ready in time")
	}
	conn, err := nats.Connect("", append(options, nats.InProcessServer(embedded))...)
	if err != nil {
		embedded.Shutdown()
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	return &Bus{conn, embedded}, nil
}

func subject(org ward.OrgID) string { return "ward.notice." + string(org) }

// Publish tells everyone of the organisation who listens.
func (b *Bus) Publish(org ward.OrgID, n ward.Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return b.conn.Publish(subject(org), body)
}

// Subscribe calls on for each notice of the organisation, one at a time, until cancel is called.
func (b *Bus) Subscribe(org ward.OrgID, on func(ward.Notice)) (cancel func(), err error) {
	subscription, err := b.conn.Subscribe(subject(org), func(message *nats.Msg) {
		var n ward.Notice
		if json.Unmarshal(message.Data, &n) == nil {
			on(n)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listen to the bus: %w", err)
	}
	if err := b.conn.Flush(); err != nil {
		return nil, fmt.Errorf("listen to the bus: %w", err)
	}
	return func() { subscription.Unsubscribe() }, nil
}

// Close leaves the bus, and ends the engine inside.
func (b *Bus) Close() {
	b.conn.Close()
	if b.embedded != nil {
		b.embedded.Shutdown()
		b.embedded.WaitForShutdown()
	}
}
