package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"ward/server"
)

const serveAbout = `Runs the clinic until it is told to stop (SIGTERM or Ctrl-C), then lets the requests that run finish. The first time, it
founds the clinic and prints the link with which its founder joins; whoever opens the link first is the founder.`

func serveCommand() command {
	c := command{name: "serve", line: "run the clinic", about: serveAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, rest, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return usageError{fmt.Errorf("serve takes no %q", rest[0])}
		}
		return serve(ctx, t, &config)
	}
	return c
}

func serve(ctx context.Context, t terminal, config *Config) error {
	log := config.logger(t)
	secure, startTLS, err := tlsConfig(config, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return hinted(fmt.Errorf("listen: %w", err), "Is another Ward running? Choose another address with --listen.")
	}
	proxies, err := config.trusted()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	listener = server.Listen(listener, proxies, config.ProxyProtocol)
	defer listener.Close()
	here, err := clinic(ctx, config, log)
	if err != nil {
		return err
	}
	defer here.close()
	link, err := here.found(ctx, config.Name)
	if err != nil {
		return err
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
		stopTLS, err := startTLS(ctx)
		if err != nil {
			return err
		}
		defer stopTLS()
		if config.media().RelayTLS != "" {
			var relay net.Listener
			listener, relay = apart(listener)
			if err := here.visits.RelayOver(relay); err != nil {
				return err
			}
		}
	}
	if link != "" {
		printLink(t, config.Name, link)
	}
	stopMetrics, err := showMetrics(ctx, config, here.server, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	log.InfoContext(ctx, "ward answers", slog.String("at", config.Origin), slog.String("version", version()), slog.String("database", here.db.Engine()))
	err = here.server.Serve(ctx, listener)
	log.InfoContext(context.WithoutCancel(ctx), "ward has stopped")
	return err
}

// showMetrics begins to show metrics, if they are to be shown, and returns what ends it.
func showMetrics(ctx context.Context, config *Config, shown *server.Server, log *slog.Logger) (stop func(), err error) {
	if config.Metrics == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", config.Metrics)
	if err != nil {
		return nil, hinted(fmt.Errorf("metrics: %w", err), "Choose another address with --metrics.")
	}
	ctx, cancel := context.WithCancel(ctx)
	var showing sync.WaitGroup
	showing.Go(func() {
		if err := shown.ServeMetrics(ctx, listener, config.MetricsToken); err != nil {
			log.ErrorContext(ctx, "metrics are shown no more", slog.String("error", err.Error()))
		}
	})
	return func() { cancel(); showing.Wait() }, nil
}
