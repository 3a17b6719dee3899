package connector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// secretsPause is how often the secrets on disk are read again.
const secretsPause = time.Minute

// secrets are what a sender proves itself with, as it lies on disk.
type secrets struct {
	key  send.Secret
	pdnd *send.PDND // nil without PDND
	// digests, to see a change and to find two senders with one key
	ofKey, ofAll string
}

// readSecrets reads them; its errors name the setting at fault.
func (c *Connector) readSecrets(cfg *config.Sender) (secrets, error) {
	key, err := cfg.APIKey.Resolve(c.cfg.Dir())
	if err != nil {
		return secrets{}, fmt.Errorf("api_key: %w", err)
	}
	x := secrets{key: send.Secret(key), ofKey: digestOf(key)}
	x.ofAll = x.ofKey
	if cfg.PDND == nil {
		return x, nil
	}
	data, err := config.ReadPrivate(cfg.PDND.KeyFile, cfg.PDND.OpenKey)
	if err != nil {
		return x, fmt.Errorf("pdnd: %w", err)
	}
	x.ofAll += digestOf(string(data))
	private, err := send.ParsePrivateKey(data)
	if err != nil {
		return x, fmt.Errorf("pdnd: key_file: %w", err)
	}
	p := cfg.PDND
	x.pdnd = &send.PDND{TokenURL: p.TokenURL, Audience: p.Audience, ClientID: p.ClientID, PurposeID: p.PurposeID, KeyID: p.KeyID, Key: private, Timeout: c.opts.timeout}
	return x, nil
}

func digestOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// renewSecrets takes up secrets that were replaced on disk, once a minute, and lets a
// sender that was held for the old ones try at once. Files that cannot be read (they
// may be half written) or do not fit are told once, and the ones in use stay. The
// sender's stream loop alone calls it.
func (c *Connector) renewSecrets(ctx context.Context, s *sender) error {
	now := c.opts.Clock()
	if since := now.Sub(s.looked); since >= 0 && since < secretsPause {
		return nil
	}
	s.looked = now
	next, err := c.readSecrets(s.cfg)
	if err == nil && next.ofAll == s.proof {
		c.tell("secrets of "+s.name, nil)
		return nil
	}
	if err == nil {
		err = c.takeSecrets(s, next)
	}
	c.tell("secrets of "+s.name, err)
	if err != nil {
		return nil //nolint:nilerr // told; the secrets in use stay
	}
	c.opts.Log.Info("secrets read again", "sender", s.name)
	s.again, s.tried = time.Time{}, false
	return c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		if h := s.heldBy(holds); h == nil || h.Reason != send.HeldAPIKey && h.Reason != send.HeldVoucher && h.Reason != send.HeldSenderTaxID {
			return nil
		}
		return tx.DropHold(ledger.HoldSender, s.name)
	})
}

func (c *Connector) takeSecrets(s *sender, next secrets) error {
	c.keys.Lock()
	defer c.keys.Unlock()
	for _, name := range names(c.senders) {
		if other := c.senders[name]; other != s && other.environment == s.environment && other.secret == next.ofKey {
			return errors.New("the new API key is that of sender " + name + "; the old one stays in use")
		}
	}
	if err := s.client.Rekey(next.key, next.pdnd); err != nil {
		return fmt.Errorf("the new secrets do not fit, the old ones stay in use: %w", err)
	}
	s.secret, s.proof = next.ofKey, next.ofAll
	return nil
}
