package submit

import (
	"context"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// next makes the attempt after the present one, in the transaction of the proof.
func (w *work) next(tx *ledger.Tx, n *ledger.Notification) error {
	return tx.NextAttempt(n)
}

var _ = context.Background
var _ = notification.Italian
