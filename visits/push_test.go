package visits

import (
	"crypto/ecdh"
	"net/http"
	"net/netip"
	"testing"

	"ward"
)

func TestPushIsEncryptedAsInTheStandardsExample(t *testing.T) { // RFC 8291, appendix A
	const (
		theirs = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
		ours   = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
		want   = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	)
	to, err := parseSubscription(ward.PushSubscription{Endpoint: "https://push.example/x", P256DH: theirs, Auth: "BTBZMqHH6r4Tts7J_aSIgg"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ward.B64.DecodeString(ours)
	if err != nil {
		t.Fatal(err)
	}
	ephemeral, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	salt, err := ward.B64.DecodeString("DGv6ra1nlYgDCS1FRnbzlw")
	if err != nil {
		t.Fatal(err)
	}
	body, err := encryptPush(to, ephemeral, salt, []byte("When I grow up, I want to be a watermelon"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := ward.B64.EncodeToString(body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPushesGoToPublicAddressesOnly(t *testing.T) {
	for address, public := range map[string]bool{
		"8.8.8.8": true, "2a00:1450:4003:80e::200a": true, "127.0.0.1": false, "10.1.2.3": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false, "fe80::1": false, "fd00::1": false, "::ffff:127.0.0.1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::127.0.0.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != public {
			t.Errorf("%s is public: %t", address, got)
		}
	}
	for _, address := range []string{"https://localhost:443/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://8.8.8.8:8443/"} {
		if answer, err := publicClient().Get(address); err == nil {
			answer.Body.Close()
			t.Errorf("%s was reached", address)
		}
	}
}

func TestSubscriptionsThatCannotBeAreRefused(t *testing.T) {
	good := ward.PushSubscription{
		Endpoint: "https://push.example/x", Auth: "BTBZMqHH6r4Tts7J_aSIgg",
		P256DH: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
	}
	if _, err := parseSubscription(good); err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string]func(*ward.PushSubscription){
		"in the clear":       func(s *ward.PushSubscription) { s.Endpoint = "http://push.example/x" },
		"a file":             func(s *ward.PushSubscription) { s.Endpoint = "file:///etc/passwd" },
		"no host":            func(s *ward.PushSubscription) { s.Endpoint = "https:///x" },
		"a password":         func(s *ward.PushSubscription) { s.Endpoint = "https://a:b@push.example/" },
		"a short secret":     func(s *ward.PushSubscription) { s.Auth = "BTBZMqHH6r4Tts7J_aSI" },
		"no point":           func(s *ward.PushSubscription) { s.P256DH = "BCVx" },
		"not on the curve":   func(s *ward.PushSubscription) { s.P256DH = s.P256DH[:80] + "AAAAAAA" },
		"a compressed point": func(s *ward.PushSubscription) { s.P256DH = "AyVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx" },
	} {
		s := good
		change(&s)
		if _, err := parseSubscription(s); err == nil || ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func FuzzParseSubscription(f *testing.F) {
	f.Add("https://push.example/x", "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg")
	f.Add("https://[::1]:443", "", "")
	f.Fuzz(func(t *testing.T, endpoint, key, auth string) {
		s, err := parseSubscription(ward.PushSubscription{Endpoint: endpoint, P256DH: key, Auth: auth})
		if err != nil {
			return
		}
		if _, err := http.NewRequest(http.MethodPost, s.endpoint.String(), nil); err != nil || s.endpoint.Scheme != "https" {
			t.Errorf("%q was taken", endpoint)
		}
	})
}
