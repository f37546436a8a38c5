package client

import (
	"crypto/ecdh"
	"testing"

	"ward"
)

// standardsPush is the example of RFC 8291, section 5.
const standardsPush = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"

func standardsKey(t testing.TB) PushKey {
	raw, err := ward.B64.DecodeString("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := ward.B64.DecodeString("BTBZMqHH6r4Tts7J_aSIgg")
	if err != nil {
		t.Fatal(err)
	}
	return PushKey{key, auth}
}

func TestAPushMessageIsOpenedAsInTheStandardsExample(t *testing.T) {
	body, err := ward.B64.DecodeString(standardsPush)
	if err != nil {
		t.Fatal(err)
	}
	message, err := standardsKey(t).Open(body)
	if err != nil || string(message) != "When I grow up, I want to be a watermelon" {
		t.Errorf("%q, %v", message, err)
	}
	body[len(body)-1] ^= 1
	if message, err := standardsKey(t).Open(body); err == nil {
		t.Errorf("what was changed on the way was opened: %q", message)
	}
}

func FuzzOpenPush(f *testing.F) {
	body, err := ward.B64.DecodeString(standardsPush)
	if err != nil {
		f.Fatal(err)
	}
	key := standardsKey(f)
	f.Add(body)
	f.Add(body[:86])
	f.Fuzz(func(_ *testing.T, body []byte) { key.Open(body) })
}
