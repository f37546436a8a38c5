package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"filippo.io/age"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/cloudflare/circl/kem/xwing"
	"golang.org/x/crypto/chacha20poly1305"
)

// Recomputable sealing: what a lock's epoch is sealed to each member as, so that every holder of the epoch's key makes
// the same bytes, and so sees whether what the others were given is right. age draws its file key, the coins of the key
// encapsulation and the nonce at random, and has no way in; here all three are derived from the epoch's identity, whose
// 256 bits are random to whoever lacks it, and who has it knows the plaintext. The file is an ordinary age file, which
// any age opens.
//
// It is for the key of an epoch and for nothing else: what it is derived from must be a secret with full entropy, and
// everyone who may know that secret may know the plaintext (docs/decisions/0015).

const (
	recomputableInfo = "ward/recomputable/1\n"
	recomputableSize = fileKeySize + xwing.EncapsulationSeedSize + fileNonceSize
	fileKeySize      = 16
	fileNonceSize    = 16
	hybridStanza     = "mlkem768x25519"
	hybridInfo       = "age-encryption.org/mlkem768x25519"
	hybridSuite      = "HPKE\x64\x7a\x00\x01\x00\x03" // X-Wing, HKDF-SHA256, ChaCha20Poly1305
	maxRecomputable  = 64 << 10                       // one chunk of an age file; lock files have less than 1 KiB
)

// SealRecomputable seals data to a recipient as every other holder of the key does. The hash of the plaintext is in the
// derivation, or two texts would be sealed under one key and nonce.
func (k LockKey) SealRecomputable(recipient string, data []byte) ([]byte, error) {
	if len(data) > maxRecomputable {
		return nil, fmt.Errorf("seal: %d bytes are more than one chunk", len(data))
	}
	public, err := recipientKey(recipient)
	if err != nil {
		return nil, err
	}
	place := fmt.Sprintf("%s/%s/%d", k.Org, k.Lock, k.Epoch)
	coins := derive([]byte(k.Identity.Secret()), recomputableInfo+place+"\n"+recipient+"\n"+Hash(data), recomputableSize)
	fileKey, coins, nonce := coins[:fileKeySize], coins[fileKeySize:recomputableSize-fileNonceSize], coins[recomputableSize-fileNonceSize:]
	shared, enc, err := xwing.Encapsulate(public, coins)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	wrapKey, wrapNonce := hybridKey(shared)
	b64 := base64.RawStdEncoding.EncodeToString
	head := "age-encryption.org/v1\n-> " + hybridStanza + " " + b64(enc) + "\n" + b64(encrypt(wrapKey, wrapNonce, fileKey)) + "\n---"
	mac := hmac.New(sha256.New, derive(fileKey, "header", 32))
	mac.Write([]byte(head))
	last := make([]byte, chacha20poly1305.NonceSize)
	last[len(last)-1] = 1 // the first chunk is the last
	payloadKey, err := hkdf.Key(sha256.New, fileKey, nonce, "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	sealed := append([]byte(head+" "+b64(mac.Sum(nil))+"\n"), nonce...)
	return append(sealed, encrypt(payloadKey, last, data)...), nil
}

// recipientKey is the X-Wing public key of an age recipient.
func recipientKey(recipient string) ([]byte, error) {
	if _, err := age.ParseHybridRecipient(recipient); err != nil {
		return nil, fmt.Errorf("seal: it is not an age post-quantum recipient") // age's checks are stricter than circl's
	}
	_, words, err := bech32.DecodeNoLimit(recipient)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return bech32.ConvertBits(words, 5, 8, false)
}

// hybridKey is the key schedule of HPKE's base mode (RFC 9180, 5.1) for age's stanza.
func hybridKey(shared []byte) (key, nonce []byte) {
	extract := func(label string, input []byte) []byte {
		out, err := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+hybridSuite+label), input...), nil)
		if err != nil {
			panic("seal: extract: " + err.Error()) // SHA-256 is there
		}
		return out
	}
	context := append(append([]byte{0}, extract("psk_id_hash", nil)...), extract("info_hash", []byte(hybridInfo))...)
	secret, err := hkdf.Extract(sha256.New, []byte("HPKE-v1"+hybridSuite+"secret"), shared)
	if err != nil {
		panic("seal: extract: " + err.Error())
	}
	expand := func(label string, length int) []byte {
		info := string(binary.BigEndian.AppendUint16(nil, uint16(length))) + "HPKE-v1" + hybridSuite + label + string(context)
		out, err := hkdf.Expand(sha256.New, secret, info, length)
		if err != nil {
			panic("seal: expand: " + err.Error()) // only a length above 8,160 bytes fails
		}
		return out
	}
	return expand("key", chacha20poly1305.KeySize), expand("base_nonce", chacha20poly1305.NonceSize)
}

func encrypt(key, nonce, data []byte) []byte {
	cipher, err := chacha20poly1305.New(key)
	if err != nil {
		panic("seal: encrypt: " + err.Error()) // only a key of a wrong size fails
	}
	return cipher.Seal(nil, nonce, data, nil)
}
