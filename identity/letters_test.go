package identity

import (
	"bufio"
	"bytes"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

func TestLetterSaysOnlyHowToJoin(t *testing.T) {
	const link = origin + "/join#aaaaaaaaaaaaaaaaaaaaaaaaaa.c2VjcmV0"
	until := time.Date(2026, 12, 7, 12, 0, 0, 0, time.UTC)
	s := SMTP{Server: "mail.example:465", From: "no-reply@clinic.example"}
	for language := range letters {
		t.Run(language, func(t *testing.T) {
			letter, err := s.invitation("amina@mail.example", link, language, until)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := letter.WriteTo(&text); err != nil {
				t.Fatal(err)
			}
			read, err := mail.ReadMessage(&text)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
			if err != nil {
				t.Fatal(err)
			}
			if read.Header.Get("Content-Language") != language || read.Header.Get("User-Agent")+read.Header.Get("X-Mailer") != "" {
				t.Errorf("headers %v", read.Header)
			}
			for _, want := range []string{link, "clinic.example", "2026-12-07 12:00 UTC"} {
				if !strings.Contains(string(body), want) {
					t.Errorf("%q is not in\n%s", want, body)
				}
			}
			if strings.Contains(string(body), "%!") {
				t.Errorf("a value is missing in\n%s", body)
			}
			said := strings.ToLower(strings.ReplaceAll(string(body), link, ""))
			for _, word := range []string{"health", "salud", "doctor", "médic", "patient", "pacient", "chart", "historia", "صحة", "طبيب", "مريض"} {
				if strings.Contains(said, word) {
					t.Errorf("says %q", word)
				}
			}
		})
	}
	if _, err := s.invitation("amina@mail.example", link, "tlh", until); err != nil {
		t.Errorf("a language we do not write: %v", err)
	}
}

func TestLetterIsDelivered(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan string, 1)
	go func() { heard <- takeMail(listener) }()
	s := SMTP{Server: listener.Addr().String(), From: "no-reply@clinic.example"}
	if err := s.Invite(t.Context(), "amina@mail.example", origin+"/join#x", "en", time.Now()); err != nil {
		t.Fatal(err)
	}
	got := <-heard
	for _, want := range []string{"MAIL FROM:<no-reply@clinic.example>", "RCPT TO:<amina@mail.example>", "Subject: Your invitation"} {
		if !strings.Contains(got, want) {
			t.Errorf("the server did not hear %q in\n%s", want, got)
		}
	}
	listener.Close()
	err = s.Invite(t.Context(), "amina@mail.example", origin+"/join#x", "en", time.Now())
	if err == nil || strings.Contains(err.Error(), "amina") || strings.Contains(err.Error(), "join#") {
		t.Errorf("without a server: %v", err)
	}
}

// takeMail is a small mail server for one letter: it gives what it heard.
func takeMail(listener net.Listener) string {
	conn, err := listener.Accept()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	io.WriteString(conn, "220 mail\r\n")
	var heard strings.Builder
	inData := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		heard.WriteString(line + "\n")
		switch {
		case line == ".":
			inData = false
			io.WriteString(conn, "250 ok\r\n")
		case inData:
		case line == "DATA":
			inData = true
			io.WriteString(conn, "354 go on\r\n")
		case line == "QUIT":
			io.WriteString(conn, "221 bye\r\n")
			return heard.String()
		default:
			io.WriteString(conn, "250 ok\r\n")
		}
	}
	return heard.String()
}

func TestLetterLeavesTheMachineOnlyOverTLS(t *testing.T) {
	client, err := SMTP{Server: "mail.example:587"}.client()
	if err != nil {
		t.Fatal(err)
	}
	if client.TLSPolicy() != "TLSMandatory" {
		t.Errorf("the policy is %s", client.TLSPolicy())
	}
}

func TestMailServerMustBeHostAndPort(t *testing.T) {
	for _, server := range []string{"", "mail.example", "mail.example:smtp", "mail.example:0"} {
		if _, err := (SMTP{Server: server, From: "no-reply@clinic.example"}).client(); err == nil {
			t.Errorf("%q was taken", server)
		}
	}
}
