package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"ward"
)

const clinicAbout = `Several clinics may share one Ward, and none sees another. ` + "`ward serve`" + ` founds the first by itself; this founds one more,
also while the server runs, and prints the link with which its founder joins.`

func clinicCommand() command {
	c := command{name: "clinic", args: "NAME", line: "found one more clinic on this Ward", about: clinicAbout}
	c.run = func(ctx context.Context, t terminal, args []string) error {
		config, rest, err := readConfig(t, c, nil, args)
		if err != nil {
			return err
		}
		if len(rest) != 1 {
			return usageError{errors.New("clinic takes one NAME")}
		}
		if err := config.exists(); err != nil {
			return err
		}
		config.LedgerOff = true // the server that may be running has it
		here, err := clinic(ctx, &config, config.logger(t))
		if err != nil {
			return err
		}
		link, err := here.foundingLink(ctx, rest[0])
		if err == nil {
			printLink(t, rest[0], link)
		}
		return errors.Join(err, here.close())
	}
	return c
}

// printLink shows a founding link on the terminal, and nowhere else: it is not logged.
func printLink(t terminal, name, link string) {
	fmt.Fprintf(t.out, "%s is new. Its founder opens, once and within a week:\n\n  %s\n\n", name, link)
}

// found makes the first clinic and gives its founding link, or nothing if there is a clinic.
func (r *running) found(ctx context.Context, name string) (link string, err error) {
	none, err := r.identity.Unfounded(ctx)
	if err != nil || !none {
		return "", err
	}
	return r.foundingLink(ctx, name)
}

// foundingLink begins an organisation. The link's secret is made here and forgotten: the database keeps a hash of the
// token that is made from it (docs/formats.md, Invitations).
func (r *running) foundingLink(ctx context.Context, name string) (string, error) {
	secret := make([]byte, 16)
	rand.Read(secret)
	token, err := hkdf.Key(sha256.New, secret, nil, "ward/invitation/token/1", 32)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(token)
	_, invitation, err := r.identity.Found(ctx, name, ward.B64.EncodeToString(hash[:]))
	if err != nil {
		return "", fmt.Errorf("found the clinic: %w", err)
	}
	return r.origin + "/join#" + string(invitation) + "." + ward.B64.EncodeToString(secret), nil
}
