package identity

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"ward"
)

// SMTP sends letters by a mail server, over TLS.
type SMTP struct {
	Server   string // host:port
	User     string
	Password ward.Secret
	From     string
}

// letterTimeout bounds one letter, since an operation waits for it.
const letterTimeout = 15 * time.Second

// letters are the texts by language. They say who writes and that the link is for one use; nothing of health, no name.
var letters = map[string]struct{ subject, body string }{
	"en": {"An invitation from %s", "Hello,\n\n%s invites you to its secure space. This link is for you alone and works once, until %s:\n\n%s\n\nIf you did not expect this letter, you can ignore it.\n"},
	"es": {"Una invitación de %s", "Hola:\n\n%s le invita a su espacio seguro. Este enlace es solo para usted y funciona una vez, hasta el %s:\n\n%s\n\nSi no esperaba esta carta, puede ignorarla.\n"},
	"ar": {"دعوة من %s", "مرحبًا،\n\nتدعوك %s إلى مساحتها الآمنة. هذا الرابط لك وحدك ويعمل مرة واحدة حتى %s:\n\n%s\n\nإذا لم تكن تتوقع هذه الرسالة فيمكنك تجاهلها.\n"},
}

// Invite sends one invitation and keeps nothing of it.
func (s SMTP) Invite(ctx context.Context, clinic, address, link, language string, until time.Time) error {
	host, portText, err := net.SplitHostPort(s.Server)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	letter, ok := letters[language]
	if !ok {
		letter = letters["en"]
	}
	message := mail.NewMsg()
	if err := message.From(s.From); err != nil {
		return fmt.Errorf("mail from: %w", err)
	}
	if err := message.To(address); err != nil {
		return fmt.Errorf("mail to: the address is not one")
	}
	message.Subject(fmt.Sprintf(letter.subject, clinic))
	message.SetBodyString(mail.TypeTextPlain, fmt.Sprintf(letter.body, clinic, until.UTC().Format("2006-01-02 15:04 UTC"), link))
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(letterTimeout)}
	if net.ParseIP(host).IsLoopback() || host == "localhost" {
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic)) // it does not leave this machine
	} else {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(string(s.Password)))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("send by %s failed", s.Server) // the cause could repeat the address
	}
	return nil
}
