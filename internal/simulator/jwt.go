package simulator

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// token is a compact JWS, taken apart but not verified.
type token struct {
	header, payload map[string]any
	signed          string
	signature       []byte
}

// parseToken takes a compact JWS apart. Numbers stay json.Number, so that a
// number in quotes is not taken for one.
func parseToken(text string) (*token, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("not three parts")
	}
	t := &token{signed: parts[0] + "." + parts[1]}
	for i, target := range []*map[string]any{&t.header, &t.payload} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(target); err != nil {
			return nil, err
		}
	}
	var err error
	t.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return t, err
}

func (t *token) verify(key *rsa.PublicKey) bool {
	sum := sha256.Sum256([]byte(t.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) == nil
}

func signToken(key *rsa.PrivateKey, header, payload map[string]any) (string, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64(mustJSON(header)) + "." + b64(mustJSON(payload))
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + b64(sig), nil
}

// thumbprint is the RFC 7638 name of a key, which PDND uses as kid.
func thumbprint(key *rsa.PublicKey) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, b64(big.NewInt(int64(key.E)).Bytes()), b64(key.N.Bytes()))
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}

// publicKey reads a key as PDND's back office does: RSA, 2048 bits at least,
// no certificate, no private key.
func publicKey(v any) (*rsa.PublicKey, error) {
	var text []byte
	switch k := v.(type) {
	case *rsa.PublicKey:
		return k, checkKeySize(k)
	case string:
		text = []byte(k)
	case []byte:
		text = k
	default:
		return nil, fmt.Errorf("simulator: unusable public key of type %T", v)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("simulator: not one PEM block PUBLIC KEY")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("simulator: public key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("simulator: public key is not RSA but %T", parsed)
	}
	return key, checkKeySize(key)
}

func checkKeySize(k *rsa.PublicKey) error {
	if k.N.BitLen() < 2048 {
		return fmt.Errorf("simulator: public key has %d bits, fewer than 2048", k.N.BitLen())
	}
	return nil
}
