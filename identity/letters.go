package identity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"ward"
	"ward/store"
)

// A letter brings a link and says how to use it. Mail is read over shoulders and passes through many machines, so it
// says nothing of health: no name of the person, of who invites them, or of the clinic, which may tell what it
// treats. It names the host that the link leads to, so that the person can compare.
//
// Letters are sent after the invitation is stored, since a slow mail server must not hold up the database. One that
// the server would not take leaves the invitation marked as not sent, and its inviter gives the link themselves.

const (
	// letterTime bounds one letter: a mail server that takes longer is not well.
	letterTime = 15 * time.Second
	// lettersAtOnce bounds the connections to the mail server.
	lettersAtOnce = 4
	// tlsPort is where mail servers speak TLS from the start (RFC 8314); elsewhere it begins by STARTTLS.
	tlsPort = 465
)

// send sends the letter of an invitation that is stored. Wait waits for it.
func (i *Identity) send(ctx context.Context, v invitation, n ward.NewInvitation) {
	ctx = context.WithoutCancel(ctx)
	i.sending.Go(func() {
		i.mailbox <- struct{}{}
		defer func() { <-i.mailbox }()
		letter, cancel := context.WithTimeout(ctx, letterTime)
		defer cancel()
		if i.Letters.Invite(letter, n.Email, n.Link, n.Language, v.until) == nil {
			return
		}
		i.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error { // if this fails too, the database is down and says so
			if err := unsend(ctx, tx, v.id); err != nil {
				return err
			}
			i.tell(tx, v.org, ward.Notice{Kind: "invitation"})
			return i.record(ctx, tx, v.org, ward.Event{Action: "letter-failed", About: "invitation:" + string(v.id)})
		})
	})
}

// Wait waits until no letter is being sent. Call it before the database closes.
func (i *Identity) Wait() { i.sending.Wait() }

// SMTP sends letters by a mail server, over TLS unless the server is on this machine.
type SMTP struct {
	Server   string // host:port
	User     string // none: no login
	Password ward.Secret
	From     string
}

// Invite sends one invitation and keeps nothing of it. Its errors do not repeat the address or the link.
func (s SMTP) Invite(ctx context.Context, address, link, language string, until time.Time) error {
	letter, err := s.invitation(address, link, language, until)
	if err != nil {
		return err
	}
	return s.deliver(ctx, letter)
}

// Send sends a letter of a few words. Its errors do not repeat the address.
func (s SMTP) Send(ctx context.Context, address, language, subject, body string) error {
	letter, err := s.letter(address, language, subject, body)
	if err != nil {
		return err
	}
	return s.deliver(ctx, letter)
}

func (s SMTP) deliver(ctx context.Context, letter *mail.Msg) error {
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if client.DialAndSendWithContext(ctx, letter) != nil {
		return fmt.Errorf("send by %s failed", s.Server)
	}
	return nil
}

func (s SMTP) client() (*mail.Client, error) {
	host, text, err := net.SplitHostPort(s.Server)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(letterTime), mail.WithTLSPolicy(mail.TLSMandatory)}
	switch {
	case port == tlsPort:
		options = append(options, mail.WithSSL())
	case host == "localhost" || net.ParseIP(host).IsLoopback():
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(string(s.Password)))
	}
	return mail.NewClient(host, options...)
}

func (s SMTP) invitation(address, link, language string, until time.Time) (*mail.Msg, error) {
	to, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("write a letter: the link is not an address")
	}
	words, ok := letters[language]
	if !ok {
		language, words = "en", letters["en"]
	}
	return s.letter(address, language, words.subject, fmt.Sprintf(words.body, to.Hostname(), link, until.UTC().Format("2006-01-02 15:04 UTC")))
}

func (s SMTP) letter(address, language, subject, body string) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := letter.From(s.From); err != nil {
		return nil, fmt.Errorf("write a letter: from: %w", err)
	}
	if letter.To(address) != nil {
		return nil, errors.New("write a letter: to: this is not an e-mail address")
	}
	letter.SetDate()
	letter.SetMessageID()
	letter.SetGenHeader("Content-Language", language)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no automatic replies
	letter.Subject(subject)
	letter.SetBodyString(mail.TypeTextPlain, body)
	return letter, nil
}

// letters by language: of the host, the link, and the moment until which it opens.
var letters = map[string]struct{ subject, body string }{
	"en": {"Your invitation", `Hello,

you are invited to make an account at %[1]s. Open this link on your own phone or computer:

%[2]s

It works once, until %[3]s. It is for you alone: please do not pass it on.
Did you not expect this? Then delete this message. Nothing happens unless the link is opened.
`},
	"es": {"Su invitación", `Hola:

Le invitamos a crear una cuenta en %[1]s. Abra este enlace en su propio teléfono u ordenador:

%[2]s

Funciona una sola vez, hasta el %[3]s. Es solo para usted: por favor, no lo comparta.
¿No esperaba este mensaje? Bórrelo. No ocurre nada si no se abre el enlace.
`},
	"ar": {"دعوتك", `مرحبًا،

ندعوك إلى إنشاء حساب على %[1]s. افتح هذا الرابط على هاتفك أو حاسوبك الخاص:

%[2]s

يعمل الرابط مرة واحدة فقط، حتى %[3]s. وهو لك وحدك، فلا تشاركه مع أحد من فضلك.
ألم تكن تتوقع هذه الرسالة؟ احذفها. لن يحدث شيء ما لم يُفتح الرابط.
`},
}
