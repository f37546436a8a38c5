package visits

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"ward"
)

// Web push: a browser names a push service of its maker's and a key; what is sent there is encrypted to that key (RFC
// 8291) and signed by this server's (RFC 8292), so the service sees that something was sent and how long it is, not
// what. The address comes from outside and the server goes there, so the way is narrow: HTTPS to a public address, no
// redirects, nothing read of the answer but its status.

const (
	// maxEndpoint is how long a push service's address may be: they are under 500.
	maxEndpoint = 2048
	// pushTime bounds one message: a push service that takes longer is not well.
	pushTime = 15 * time.Second
	// pushSize is what every message is padded to, so that their length says nothing: push services take 4096.
	pushSize = 1024
	// vapidLasts is how long a signature of ours is good; the standard allows a day.
	vapidLasts = 12 * time.Hour
)

// errGone is that the browser no longer wants to hear.
var errGone = errors.New("the subscription has ended")

// pusher sends messages to browsers.
type pusher struct {
	key    *ecdsa.PrivateKey
	public string // uncompressed point, b64
	origin string // who we are, to the push service
	client *http.Client
	now    func() time.Time
}

// newPusher makes its key from a secret of the server. A nil client goes to public addresses only.
func newPusher(secret []byte, origin string, client *http.Client, now func() time.Time) (*pusher, error) {
	if client == nil {
		client = publicClient()
	}
	for n := byte(0); ; n++ { // nearly every hash is a key of the curve
		sum := sha256.Sum256(append([]byte{n}, secret...))
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:]); err == nil {
			public, err := key.PublicKey.Bytes()
			return &pusher{key: key, public: ward.B64.EncodeToString(public), origin: origin, client: client, now: now}, err
		}
	}
}

// publicClient reaches HTTPS on public addresses: what a name leads to is checked as it is dialled.
func publicClient() *http.Client {
	dialer := &net.Dialer{Timeout: pushTime, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || to.Port() != 443 || !isPublic(to.Addr()) {
			return errors.New("not a public address")
		}
		return nil
	}}
	return &http.Client{
		Timeout:       pushTime,
		Transport:     &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 16, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// special are addresses that look public and lead to this machine, its network or nowhere (RFC 6890 and successors).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// subscriber is a subscription whose form was checked.
type subscriber struct {
	endpoint *url.URL
	key      *ecdh.PublicKey
	auth     []byte
}

func parseSubscription(s ward.PushSubscription) (subscriber, error) {
	bad := ward.Errorf(ward.Invalid, "this is not what a browser gives of itself")
	endpoint, err := url.Parse(s.Endpoint)
	if err != nil || len(s.Endpoint) > maxEndpoint || endpoint.Scheme != "https" || endpoint.Hostname() == "" || endpoint.User != nil || endpoint.Opaque != "" {
		return subscriber{}, bad
	}
	point, err1 := ward.B64.DecodeString(s.P256DH)
	auth, err2 := ward.B64.DecodeString(s.Auth)
	if err1 != nil || err2 != nil || len(auth) != 16 {
		return subscriber{}, bad
	}
	key, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return subscriber{}, bad
	}
	return subscriber{endpoint, key, auth}, nil
}

// send brings a message to a browser; the push service keeps it for as long as it is of use.
func (p *pusher) send(ctx context.Context, to subscriber, message []byte, keep time.Duration) error {
	ephemeral, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	body, err := encryptPush(to, ephemeral, salt, message, pushSize)
	if err != nil {
		return err
	}
	signed, err := p.sign(to.endpoint)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("write to the push service")
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Content-Encoding", "aes128gcm")
	r.Header.Set("TTL", strconv.Itoa(int(max(keep, 0)/time.Second)))
	r.Header.Set("Urgency", "high")
	r.Header.Set("Authorization", "vapid t="+signed+", k="+p.public)
	answer, err := p.client.Do(r)
	if err != nil {
		return errors.New("the push service cannot be reached") // its address is the person's
	}
	answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return errGone
	case answer.StatusCode >= 300:
		return fmt.Errorf("the push service answered %d", answer.StatusCode)
	}
	return nil
}

// sign says to a push service who sends (RFC 8292).
func (p *pusher) sign(endpoint *url.URL) (string, error) {
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub"`
	}{endpoint.Scheme + "://" + endpoint.Host, p.now().Add(vapidLasts).Unix(), p.origin})
	if err != nil {
		return "", err
	}
	text := ward.B64.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + ward.B64.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + ward.B64.EncodeToString(signature), nil
}

// encryptPush encrypts a message to a browser (RFC 8291), as one record (RFC 8188), padded to a size if it is shorter.
func encryptPush(to subscriber, ephemeral *ecdh.PrivateKey, salt, message []byte, size int) ([]byte, error) {
	shared, err := ephemeral.ECDH(to.key)
	if err != nil {
		return nil, err
	}
	ours, theirs := ephemeral.PublicKey().Bytes(), to.key.Bytes()
	input, err := hkdf.Key(sha256.New, shared, to.auth, "WebPush: info\x00"+string(theirs)+string(ours), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	const recordSize, lastRecord = 4096, 2
	padded := append(bytes.Clone(message), lastRecord)
	padded = append(padded, make([]byte, max(size-len(padded), 0))...)
	if len(padded)+aead.Overhead() > recordSize {
		return nil, errors.New("the message is too long")
	}
	body := binary.BigEndian.AppendUint32(bytes.Clone(salt), recordSize)
	body = append(append(body, byte(len(ours))), ours...)
	return aead.Seal(body, nonce, padded, nil), nil
}
