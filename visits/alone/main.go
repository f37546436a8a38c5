// Command alone is LiveKit standing alone, as its makers put it together: what benchmarks measure Ward's visits against.
// It is the same version, at one port for media, for browsers on this machine. It is no part of Ward.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/livekit/livekit-server/pkg/config"
	"github.com/livekit/livekit-server/pkg/routing"
	"github.com/livekit/livekit-server/pkg/service"
	"github.com/livekit/livekit-server/pkg/telemetry/prometheus"
	"github.com/livekit/protocol/logger"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: alone PORT UDP-PORT KEY SECRET MEDIA-ADDRESS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "alone:", err)
		os.Exit(1)
	}
}

func run(port, udpPort, key, secret, address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, text := range []string{port, udpPort} {
		if _, err := strconv.ParseUint(text, 10, 16); err != nil {
			return fmt.Errorf("port %q: %w", text, err)
		}
	}
	if net.ParseIP(address) == nil {
		return fmt.Errorf("media address %q is not an IP address", address)
	}
	conf, err := config.NewConfig(fmt.Sprintf(`
port: %s
bind_addresses: [127.0.0.1]
rtc:
  udp_port: %s
  tcp_port: 0
  node_ip: %s
  use_ice_lite: true
  enable_loopback_candidate: true
  interfaces: {includes: [lo]}
  stun_servers: ["127.0.0.1:%s"]
`, port, udpPort, address, udpPort), true, nil, nil)
	if err != nil {
		return err
	}
	conf.Keys = map[string]string{key: secret}
	conf.RTC.ICEPortRangeStart, conf.RTC.ICEPortRangeEnd = 0, 0 // its default, which would outweigh the port
	logger.SetLogger(logger.GetDiscardLogger(), "livekit")
	node, err := routing.NewLocalNode(conf)
	if err != nil {
		return err
	}
	if err := prometheus.Init(string(node.NodeID()), node.NodeType()); err != nil {
		return err
	}
	server, err := service.InitializeServer(conf, node)
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		server.Stop(true)
	}()
	return server.Start()
}
