package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Identity is a body with everything it needs to log in: what a municipality
// would have received from the two back offices.
type Identity struct {
	Sender     Sender
	APIKey     string
	ClientID   string
	PurposeID  string
	KeyID      string // thumbprint of the public key
	PrivateKey []byte // PKCS#8 PEM
	PublicKey  []byte // PKIX PEM
	Audience   string // aud for the client assertion
}

// NewIdentity makes a body, an API key bound to PDND, a PDND client with a new
// RSA key and a purpose, and makes them known to the platform. The tax id must
// be 11 digits with the right check digit; "" takes the demo's.
func (s *Simulator) NewIdentity(name, taxID string) (Identity, error) {
	if taxID == "" {
		taxID = DemoTaxID
	}
	if !validElevenDigits(taxID) {
		return Identity{}, fmt.Errorf("simulator: tax id %q has a wrong check digit", taxID)
	}
	private, public, kid, err := NewKeyPair()
	if err != nil {
		return Identity{}, err
	}
	id := Identity{
		Sender: Sender{TaxID: taxID, Name: name}, APIKey: s.dice.uuid(), ClientID: s.dice.uuid(), PurposeID: s.dice.uuid(),
		KeyID: kid, PrivateKey: private, PublicKey: public, Audience: s.opt.PDNDAudience,
	}
	s.AddSender(id.Sender)
	if err := s.AddKey(APIKey{Value: id.APIKey, Sender: taxID, PDND: true}); err != nil {
		return Identity{}, err
	}
	return id, s.AddClient(Client{ID: id.ClientID, Tenant: s.dice.uuid(), PurposeIDs: []string{id.PurposeID}, Keys: []any{public}})
}

// NewKeyPair makes an RSA key of 2048 bits: PKCS#8 PEM, PKIX PEM and the kid.
func NewKeyPair() (private, public []byte, kid string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, "", err
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, nil, "", err
	}
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	public = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
	return private, public, thumbprint(&key.PublicKey), nil
}
