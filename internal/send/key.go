package send

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
)

// smallestKey is what PDND accepts, in bits.
const smallestKey = 2048

// ParsePrivateKey reads the one RSA private key of a PEM file, PKCS#8 (what the
// manual of PDND produces) or PKCS#1, in the clear. Its errors say what was found
// instead and never show any of it.
func ParsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("private key: this is not a PEM file")
	}
	if more, _ := pem.Decode(rest); more != nil || len(bytes.TrimSpace(rest)) > 0 && more == nil {
		return nil, errors.New("private key: the file must hold one PEM block and nothing after it")
	}
	key, err := parseBlock(block)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if err := key.Validate(); err != nil {
		return nil, errors.New("private key: its numbers do not fit together")
	}
	if key.N.BitLen() < smallestKey {
		return nil, fmt.Errorf("private key: %d bits, PDND demands %d", key.N.BitLen(), smallestKey)
	}
	return key, nil
}

func parseBlock(block *pem.Block) (*rsa.PrivateKey, error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["Proc-Type"] == "4,ENCRYPTED":
		return nil, errors.New("it is encrypted; decrypt it with: openssl pkcs8 -topk8 -nocrypt")
	case block.Type == "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PKCS#1 block cannot be read")
		}
		return key, nil
	case block.Type == "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PKCS#8 block cannot be read")
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("it is a %T, PDND accepts RSA only", parsed)
		}
		return key, nil
	}
	return nil, fmt.Errorf("the block is a %q, not a private key", block.Type)
}

// KeyID computes the id that PDND gives to a public key: the RFC 7638 thumbprint,
// 43 characters of base64url.
func KeyID(pub *rsa.PublicKey) string {
	b64 := base64.RawURLEncoding
	// RFC 7638 fixes the members and their order; json.Marshal follows the struct.
	jwk, _ := json.Marshal(struct {
		E   string `json:"e"`
		Kty string `json:"kty"`
		N   string `json:"n"`
	}{b64.EncodeToString(big.NewInt(int64(pub.E)).Bytes()), "RSA", b64.EncodeToString(pub.N.Bytes())})
	sum := sha256.Sum256(jwk)
	return b64.EncodeToString(sum[:])
}

// checkSigner proves that a signer makes RS256 signatures that its own public
// key verifies, and gives that key.
func checkSigner(s crypto.Signer) (*rsa.PublicKey, error) {
	if s == nil {
		return nil, errors.New("the private key is missing")
	}
	pub, ok := s.Public().(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the private key is not RSA")
	}
	if pub.N.BitLen() < smallestKey {
		return nil, fmt.Errorf("the private key has %d bits, PDND demands %d", pub.N.BitLen(), smallestKey)
	}
	digest := sha256.Sum256([]byte("sendconnector"))
	sig, err := s.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig) != nil {
		return nil, errors.New("the private key does not sign")
	}
	return pub, nil
}
